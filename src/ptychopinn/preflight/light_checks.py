"""Are the patterns bright enough, whole, and where they should be on the detector?"""

import numpy as np

from ptychopinn.preflight.facts import Facts, frame_share
from ptychopinn.preflight.findings import Finding, above, below, finding

#: A pattern with less than this share of the median photons is dark.
_DARK = 0.05


def photons(facts: Facts) -> Finding:
    """Patterns hold enough photons.

    1e4 a pattern is the least at which the Poisson loss was found usable (arXiv:2602.21361);
    below about 100 a pattern says little more than where the probe is. Amplitudes have no unit.
    """
    middle = float(np.median(facts.totals))
    if facts.scan.domain == "amplitude":
        said = f"{middle:.3g} in the median pattern, but of amplitudes the unit is not known"
        return Finding("photons", "pass", said)
    return finding(
        "photons",
        above(middle, 1e4, 1e2),
        f"{middle:.3g} photons in the median pattern",
        "expose longer; or check that these are counts, with --domain",
    )


def steadiness(facts: Facts) -> Finding:
    """No pattern is dark: a shutter that was closed, a beam that was lost, a frame not written.

    Dark is less than 5 % of the median photons, which no object in transmission explains on a
    whole pattern. A tenth of the scan dark leaves holes that overlap of 60 % no longer bridges.
    """
    middle = float(np.median(facts.totals))
    dark = float((facts.totals < _DARK * middle).mean()) if middle > 0 else 1.0
    spread = float(np.std(facts.totals) / max(float(np.mean(facts.totals)), 1e-300))
    return finding(
        "steadiness",
        below(dark, 0.0, 0.1),
        f"photons vary by {spread:.0%} between patterns; {dark:.1%} of them are dark",
        "remove the dark patterns and their positions",
    )


def saturation(facts: Facts) -> Finding:
    """No detector pixel is at its limit.

    Saturated pixels are found by equal largest counts (`io.bad_pixels`) and left out; as they are
    the brightest, more than 1 % of the detector hides most of the light.
    """
    bad = facts.scan.bad_pixels
    count = bad.counts.get("saturated", 0) if bad else 0
    share = count / facts.scan.n**2
    return finding(
        "saturation",
        below(share, 0.0, 0.01),
        f"{count} saturated pixels" + (", left out" if count else ""),
        "attenuate the beam or expose more shortly",
    )


def detector_gaps(facts: Facts) -> Finding:
    """Bad pixels and gaps hide little of the direct light.

    The share of the probe's far field on bad pixels. The image is found all the same when
    neighbouring patterns see what is hidden, but low frequencies are then guessed: beyond a third
    of the light we found the phase to drift across the image.
    """
    hidden = float(facts.far_light[~facts.scan.mask].sum())
    masked = facts.descriptors.masked_fraction
    return finding(
        "bad pixels",
        below(hidden, 0.05, 0.33),
        f"{masked:.2%} of the pixels are bad; they hide {hidden:.1%} of the direct light",
        "move the detector so that its gaps miss the direct light; check --mask",
    )


def detector_edge(facts: Facts) -> Finding:
    """Patterns fade before the detector ends.

    Share of the light in a frame of N / 16 pixels; evenly spread light has 23 %. What is cut away
    is detail that the image cannot have, and light at the edge belongs partly to frequencies
    beyond it (Nyquist).
    """
    share = frame_share(facts.mean_light, max(1, facts.scan.n // 16))
    return finding(
        "detector edge",
        below(share, 0.05, 0.2),
        f"{share:.1%} of the light at the edge of the detector",
        "use more of the detector's pixels, or move it nearer",
    )


def zero_frequency(facts: Facts) -> Finding:
    """The zero frequency lies in the middle of the patterns.

    A wrong place by a few pixels is a phase ramp over the object, which is harmless; N / 8 cuts
    off one side of the patterns. In the corner the object is multiplied by a chequerboard, and the
    check fails.
    """
    found, n = facts.zero_frequency, facts.scan.n
    if found.in_corner:
        said = f"the light gathers in the corner, about ({found.centre[0]:.0f}, "
        said += f"{found.centre[1]:.0f})"
        return Finding("zero frequency", "fail", said, "read with --zero-frequency corner")
    away = max(abs(offset) for offset in found.offset_px)
    if found.gathered < 0.1:
        return Finding("zero frequency", "pass", "the light is spread too evenly to tell")
    return finding(
        "zero frequency",
        below(away, n / 8, np.inf),
        f"the light is centred {away:.1f} px from the middle",
        "cut the patterns about their centre",
    )


def resolution(facts: Facts) -> Finding:
    """How fine a detail the photons can show.

    The largest frequency f = q / N at which a ring of the mean pattern, times the patterns that
    look at one place, still has one photon to a pixel: signal-to-noise 1, where the half-bit curve
    of two halves (van Heel & Schatz, J. Struct. Biol. 151, 250 (2005)) has been crossed by most
    measurements. An upper bound: positions, probe and detector can make it worse.
    """
    n = facts.scan.n
    y, x = np.indices((n, n)) - n // 2
    ring = np.hypot(y, x).astype(int)
    good = facts.scan.mask & (ring < n // 2)
    pixels = np.bincount(ring[good], minlength=n // 2)
    light = np.bincount(ring[good], facts.mean_light[good], minlength=n // 2)
    looks = facts.descriptors.patterns_per_probe_area
    seen = np.flatnonzero(light * looks >= np.maximum(pixels, 1))
    reach = float(seen[-1] + 1) / n if len(seen) else 1 / n
    detail = f"{1 / (2 * reach):.1f} px"
    if facts.scan.pixel_size_m:
        detail += f" ({facts.scan.pixel_size_m / (2 * reach) * 1e9:.3g} nm)"
    return finding(
        "resolution",
        above(reach, 0.1, 0.0),
        f"photons reach {reach:.2f} cycles/px: details of {detail} at best",
        "expose longer; details that only a few photons carry cannot be had",
    )
