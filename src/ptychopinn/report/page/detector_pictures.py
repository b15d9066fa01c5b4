"""Pictures of a page on the detector: the mean pattern, and patterns against their predictions."""

import math

import numpy as np

from ptychopinn.report.contrast import limits
from ptychopinn.report.page.layers import Contrast, Frame, Layer
from ptychopinn.report.view import View
from ptychopinn.scan import BAD_PIXEL_KINDS, PatternFit

#: Longest side of a picture in pixels: the mean pattern, and single ones.
_MOST_PX, _MOST_SMALL_PX = 512, 192
#: Fewest photons that a logarithmic picture tells apart from none.
_FAINTEST = 0.1
_KIND_COLOURS = {
    "marked": "#4477aa",
    "faulty": "#aa3377",
    "saturated": "#ee8866",
    "hot": "#ee2222",
    "dead": "#22aa55",
}


def detector_layers(fit: PatternFit) -> list[Layer]:
    """Return the mean pattern with its bad pixels, and the deviance of each detector pixel."""
    good = np.ones(fit.mean_counts.shape, bool) if fit.bad_pixels is None else fit.bad_pixels.mask
    view = View.of(np.ones(good.shape, dtype=np.float32), _MOST_PX)
    frame = Frame.of(view, None, unit="detector px")
    mean = _logarithm(np.where(good, fit.mean_counts, np.nan))
    misfit = np.where(good, fit.detector_deviance, np.nan)
    shown = np.isfinite(misfit)
    high = limits(misfit, shown, 1e-3)[1]
    return [
        Layer(
            name="mean-pattern",
            values=view.mean(mean),
            frame=frame,
            contrast=_of_range(view.mean(mean), "inferno", ("inferno", "viridis", "grey")),
            label="mean",
            unit="photons",
            alt="Mean diffraction pattern on a logarithmic scale, bad pixels coloured by kind",
            logarithmic=True,
            marked=_marks(fit, view),
            link="detector",
        ),
        Layer(
            name="detector-deviance",
            values=view.mean(misfit),
            frame=frame,
            contrast=Contrast(0.0, max(high, 1.2), "magma", ("magma", "viridis", "grey")),
            label="deviance",
            alt="Mean Poisson deviance of every detector pixel",
            link="detector",
        ),
    ]


def _marks(fit: PatternFit, view: View) -> tuple[tuple[np.ndarray, str, str], ...]:
    if fit.bad_pixels is None:
        return ()
    kinds = fit.bad_pixels.kinds
    return tuple(
        (
            view.mean(kinds[kind].astype(np.float32)) > 0,
            _KIND_COLOURS[kind],
            BAD_PIXEL_KINDS[kind],
        )
        for kind in fit.bad_pixels.counts
    )


def pattern_layers(fit: PatternFit, place: int) -> list[Layer]:
    """Return one kept pattern: measured, predicted, and their difference in standard deviations.

    The difference is 2 (sqrt(I) - sqrt(lambda)), which photon noise alone spreads by about 1.
    """
    measured, predicted = fit.measured[place], fit.predicted[place]
    good = np.ones(measured.shape, bool) if fit.bad_pixels is None else fit.bad_pixels.mask
    view = View.of(np.ones(good.shape, dtype=np.float32), _MOST_SMALL_PX)
    frame = Frame.of(view, None, unit="detector px")
    apart = 2 * (np.sqrt(measured) - np.sqrt(np.maximum(predicted, 0)))
    return [
        _pattern(f"measured-{place}", measured, good, view, frame, fit),
        _pattern(f"predicted-{place}", predicted, good, view, frame, fit),
        Layer(
            name=f"difference-{place}",
            values=view.mean(np.where(good, apart, np.nan)),
            frame=frame,
            contrast=Contrast(-5.0, 5.0, "red-blue", (), "differences"),
            label="measured - predicted",
            unit="σ",
            alt=f"Difference of measured and predicted pattern {fit.shown[place]}",
            link="patterns",
        ),
    ]


def _pattern(
    name: str, counts: np.ndarray, good: np.ndarray, view: View, frame: Frame, fit: PatternFit
) -> Layer:
    brightest = math.log10(max(1.0, float(fit.measured.max()), float(fit.predicted.max())))
    kind = name.partition("-")[0]
    return Layer(
        name=name,
        values=_logarithm(view.mean(np.where(good, counts, np.nan))),
        frame=frame,
        contrast=Contrast(
            math.log10(_FAINTEST),
            max(brightest, 0.5),
            "inferno",
            ("inferno", "viridis", "grey"),
            "patterns",
        ),
        label=kind,
        unit="photons",
        alt=f"{kind.capitalize()} diffraction pattern, logarithmic scale",
        logarithmic=True,
        link="patterns",
    )


def _logarithm(counts: np.ndarray) -> np.ndarray:
    return np.log10(np.maximum(counts, _FAINTEST))


def _of_range(values: np.ndarray, colours: str, choices: tuple[str, ...]) -> Contrast:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return Contrast(low, max(high, low + 0.1), colours, choices)
