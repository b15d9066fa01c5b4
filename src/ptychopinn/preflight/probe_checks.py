"""Does the probe fit its window, the step of the scan, and the patterns?"""

import numpy as np
from scipy.ndimage import gaussian_filter

from ptychopinn.preflight.facts import Facts, frame_share
from ptychopinn.preflight.findings import Finding, above, below, finding


def overlap(facts: Facts) -> Finding:
    """Neighbouring spots overlap enough to tie the image together.

    1 - s / d, nearest neighbours s apart, 90 % of the light within the diameter d. Bunk et al.,
    Ultramicroscopy 108, 481 (2008): 60 % is best, and below about 30 % the iteration no longer
    converges to one image.
    """
    if facts.scan.n_patterns == 1:
        return Finding("overlap", "warn", "a single pattern", "scan more than one place")
    value = facts.descriptors.overlap
    looks = facts.descriptors.patterns_per_probe_area
    return finding(
        "overlap",
        above(value, 0.5, 0.3),
        f"{value:.0%} linear overlap, {looks:.1f} patterns to a spot",
        "scan with a smaller step (60 % is best), or check the unit of the positions",
    )


def oversampling(facts: Facts) -> Finding:
    """The detector samples the speckles of the probe.

    sigma = N^2 / (area that holds 90 % of the probe's light). Miao, Sayre & Chapman, J. Opt. Soc.
    Am. A 15, 1662 (1998): at least 2 pixels measured for each that is not known. Overlap makes up
    for less (Edo et al., Phys. Rev. A 87, 053850 (2013)), so that this never fails.
    """
    ratio = facts.scan.n**2 / (np.pi / 4 * facts.probe_diameter_px**2)
    return finding(
        "oversampling",
        above(float(ratio), 2.0, 0.0),
        f"{ratio:.1f} detector pixels to each pixel of the probe "
        f"({facts.probe_diameter_px:.0f} of {facts.scan.n} px across)",
        "move the detector away or use all of its pixels, without binning",
    )


def probe_window(facts: Facts) -> Finding:
    """The probe ends inside its window.

    Light that leaves the window comes in on the other side, as the discrete Fourier transform has
    no edges: a share e of it makes a relative amplitude error of about sqrt(e). 0.17 of that is
    the misfit of images that are no longer like the truth (docs/trust.md), 0.05 is a good one's.
    """
    share = frame_share(facts.probe_light, max(1, facts.scan.n // 32))
    return finding(
        "probe window",
        below(share, 0.05**2, 0.17**2),
        f"{share:.2%} of the probe's light at the edge of its window",
        "give patterns with more pixels (the window grows with them), or a probe nearer to focus",
    )


def probe_fit(facts: Facts) -> Finding:
    """The far field of the probe lies where the light of the patterns lies.

    Correlation of sqrt(|F P|^2) with sqrt(mean pattern), both blurred by N / 32 pixels, on good
    pixels. The object blurs the mean pattern, but leaves it in place: below 0.5 the probe is of
    another optic, another size in pixels, or on another place of the detector.
    """
    good = facts.scan.mask
    width = facts.scan.n / 32
    pair = [
        gaussian_filter(np.sqrt(np.maximum(light, 0)), width)[good]
        for light in (facts.far_light, facts.mean_light)
    ]
    value = float(np.corrcoef(*pair)[0, 1]) if min(x.std() for x in pair) > 0 else 0.0
    return finding(
        "probe and patterns",
        above(value, 0.7, 0.4),
        f"far field of the probe and mean pattern correlate by {value:.2f}",
        "check the probe: energy, distance and pixel size that it was made for; or --refine-probe "
        "true",
    )
