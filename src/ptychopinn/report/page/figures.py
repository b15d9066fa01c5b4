"""Tables of a page beside its pictures."""

import numpy as np
from scipy.spatial import cKDTree

from ptychopinn.evaluation.frc import THRESHOLDS, RingCorrelation, crossing
from ptychopinn.report.page.account import Row
from ptychopinn.report.page.probe_pictures import probe_diameter_px
from ptychopinn.report.probe import power_shares, share_in_words
from ptychopinn.report.tables import readable_value
from ptychopinn.scan import PatternFit, Reconstruction

#: Positions whose neighbours are looked for; more would only take time.
_MOST_NEIGHBOURS = 2000
_THRESHOLDS = {"half": "1/2", "one_seventh": "1/7", "half_bit": "half-bit"}


def scan_rows(image: Reconstruction) -> list[Row]:
    """Return how the positions lie, and what a refinement did to them."""
    places, size = image.positions_px, image.pixel_size_m
    diameter, step = probe_diameter_px(image.probe), nearest_px(places)
    extent = np.ptp(places, axis=0)
    rows = [
        Row("positions", str(len(places))),
        Row("extent, y × x", f"{_length(extent[0], size)} × {_length(extent[1], size)}"),
        Row("probe diameter (90 % of the light)", _length(diameter, size)),
    ]
    if step is not None:
        rows.append(Row("distance of nearest neighbours (median)", _length(step, size)))
        rows.append(Row("linear overlap", f"{100 * (1 - step / diameter):.0f} %"))
    if image.start_positions_px is not None:
        moved = np.linalg.norm(places - image.start_positions_px, axis=1)
        far = f"{np.sqrt((moved**2).mean()):.2f} px rms, {moved.max():.2f} px at most"
        rows.append(Row("moved by the refinement", far))
    return rows


def nearest_px(places: np.ndarray) -> float | None:
    """Return the median distance to the nearest neighbour; None for a single position."""
    if len(places) < 2:
        return None
    chosen = places[:: max(1, len(places) // _MOST_NEIGHBOURS)]
    return float(np.median(cKDTree(places).query(chosen, k=2)[0][:, 1]))


def fit_rows(fit: PatternFit) -> list[Row]:
    """Return how well the patterns are explained, in numbers."""
    ratio = fit.ratio
    worst, best = int(np.argmax(ratio)), int(np.argmin(ratio))
    return [
        Row("patterns judged", str(len(ratio))),
        Row("median", f"{np.median(ratio):.2f} × photon noise"),
        Row("95 % of the patterns are below", f"{np.percentile(ratio, 95):.2f} × photon noise"),
        Row("best", f"pattern {fit.numbers[best]}, {ratio[best]:.2f} × photon noise"),
        Row("worst", f"pattern {fit.numbers[worst]}, {ratio[worst]:.2f} × photon noise"),
        Row("deviance per pixel (mean)", f"{fit.deviance.mean():.3f}"),
    ]


def resolution_rows(image: Reconstruction) -> list[Row]:
    """Return where the ring correlation of two halves falls below each threshold."""
    if image.half_data_frc is None:
        return []
    frequency, correlation, samples = image.half_data_frc
    curve = RingCorrelation(frequency, correlation, samples.astype(np.int64))
    rows = []
    for name in THRESHOLDS:
        found = crossing(curve, name, image.pixel_size_m)
        said = f"{found.cycles_per_px:.3f} cycles per pixel"
        if found.reached_end:
            said = "never: the pixel is the limit"
        elif image.pixel_size_m is not None:
            said += f", half period {readable_value('x_m', found.half_period_m)}"
        rows.append(Row(f"below {_THRESHOLDS[name]}", said))
    return rows


def probe_rows(probe: np.ndarray, pixel_m: float | None) -> list[Row]:
    """Return size, modes and light of a probe."""
    shares = power_shares(probe)
    photons = float(np.sum(np.abs(probe.astype(np.complex128)) ** 2))
    return [
        Row("incoherent modes", str(len(probe))),
        Row("strongest mode", f"{share_in_words(float(shares.max()))} of the light"),
        Row("diameter (90 % of the light)", _length(probe_diameter_px(probe), pixel_m)),
        Row("light", f"{photons:.4g} photons per pattern"),
        Row("window", f"{probe.shape[-1]} × {probe.shape[-1]} pixels"),
    ]


def _length(pixels: float, pixel_m: float | None) -> str:
    if pixel_m is None:
        return f"{pixels:.4g} px"
    return f"{readable_value('x_m', float(pixels * pixel_m))} ({pixels:.4g} px)"
