"""The curves of a page: ring correlations, losses, and how the deviances are spread."""

from typing import Any

import numpy as np

from ptychopinn.evaluation.frc import threshold_curve
from ptychopinn.report.losses import choose_abscissa, points
from ptychopinn.report.page.charts import Chart, Labels, Series, make_chart
from ptychopinn.report.tables import readable_value
from ptychopinn.scan import PatternFit

_BINS = 60


def half_data_chart(rings: np.ndarray, pixel_m: float | None, crossing: float | None) -> Chart:
    """Return the ring correlation of two halves of the data, with the half-bit curve."""
    frequency, correlation, samples = rings
    series = [
        Series("halves", correlation),
        Series("half bit", threshold_curve("half_bit", samples), "threshold"),
    ]
    labels = Labels(
        "frc-halves",
        "Fourier ring correlation of two halves of the data",
        "cycles per pixel",
        "correlation",
    )
    return make_chart(
        labels, frequency, series, y_range=(-0.1, 1.02), marker=_marker(crossing, pixel_m)
    )


def reference_chart(comparison: dict[str, Any], pixel_m: float | None) -> Chart | None:
    """Return the ring correlation against a reference, with the threshold 1/2."""
    curve = comparison.get("frc", {}).get("curve", {})
    frequency = _numbers(curve.get("frequency", []))
    if not frequency.size:
        return None
    series = [
        Series("against the reference", _numbers(curve["correlation"])),
        Series("1/2", np.full(frequency.shape, 0.5), "threshold"),
    ]
    labels = Labels(
        "frc-reference",
        "Fourier ring correlation against the reference",
        "cycles per pixel",
        "correlation",
    )
    half = comparison["frc"].get("crossings", {}).get("half", {})
    found = None if half.get("reached_end") else half.get("cycles_per_px")
    return make_chart(
        labels, frequency, series, y_range=(-0.1, 1.02), marker=_marker(found, pixel_m)
    )


def loss_chart(history: list[dict[str, Any]]) -> Chart | None:
    """Return training and validation loss; None when no loss is finite."""
    abscissa = choose_abscissa(history)
    curves = {name: dict(points(history, abscissa, f"{name}_loss")) for name in ("train", "val")}
    x = sorted({place for curve in curves.values() for place in curve})
    if not x:
        return None
    series = [
        Series(said, np.array([curves[name].get(place, np.nan) for place in x]), style)
        for name, said, style in (("train", "training", "first"), ("val", "validation", "second"))
        if curves[name]
    ]
    labels = Labels("loss", "Loss over the training", abscissa, "loss")
    return make_chart(labels, np.array(x), series)


def spread_chart(fit: PatternFit) -> Chart:
    """Return how many patterns have which deviance, as a share of what photon noise leaves."""
    ratio = fit.ratio[np.isfinite(fit.ratio)]
    high = max(1.5, float(np.percentile(ratio, 99.5)))
    counts, edges = np.histogram(np.clip(ratio, 0, high), bins=_BINS, range=(0, high))
    labels = Labels(
        "spread",
        "Number of patterns by deviance over what photon noise leaves",
        "deviance over photon noise",
        "patterns",
    )
    top = float(counts.max()) * 1.08
    steps = np.repeat(counts.astype(np.float64), 2)
    series = [Series("patterns", steps, "filled")]
    x = np.repeat(edges, 2)[1:-1]
    return make_chart(labels, x, series, y_range=(0.0, top), marker=(1.0, "photon noise"))


def _marker(crossing: float | None, pixel_m: float | None) -> tuple[float, str] | None:
    if not crossing:
        return None
    if pixel_m is None:
        return crossing, f"{crossing:.3f} per px"
    return crossing, f"half period {readable_value('x_m', pixel_m / crossing / 2)}"


def _numbers(values: list[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
