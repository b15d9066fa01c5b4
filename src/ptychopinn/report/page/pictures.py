"""Pictures of a page on the canvas of the object."""

import math

import numpy as np
from scipy.spatial import cKDTree

from ptychopinn.report.contrast import amplitude_scale, limits, phase_scale
from ptychopinn.report.page.layers import Contrast, Dots, Frame, Layer
from ptychopinn.report.page.probe_pictures import probe_diameter_px
from ptychopinn.report.phase import PhaseFrame, phasor
from ptychopinn.report.view import View
from ptychopinn.scan import PatternFit, Reconstruction

#: Longest side of a picture in pixels: the object, what is smooth, and the mosaic.
_MOST_PX, _MOST_SMALL_PX, _MOST_MOSAIC_PX = 1024, 512, 320
_MOST_DOTS = 20_000
#: Deviance ratios below this are photon noise; the colours of a map reach at least here.
_LEAST_RATIO = 1.5
#: Pictures of the object move together.
_OBJECT = "object"


def object_layers(image: Reconstruction) -> list[Layer]:
    """Return amplitude and phase, on the part of the canvas that was lit."""
    view = View.of(image.coverage, _MOST_PX)
    frame = Frame.of(view, image.pixel_size_m)
    amplitude = view.mean(image.object, np.abs)
    scale = amplitude_scale(amplitude, view.well_covered)
    return [
        _phase(image, view, frame),
        Layer(
            name="amplitude",
            values=amplitude,
            frame=frame,
            contrast=Contrast(scale.low, scale.high, "grey", ("grey", "bone", "viridis", "magma")),
            label="amplitude",
            alt="Amplitude of the reconstructed object",
            link=_OBJECT,
        ),
    ]


def _phase(image: Reconstruction, view: View, frame: Frame) -> Layer:
    waves = view.mean(image.object, phasor)
    cut = PhaseFrame.of(waves[view.well_covered])
    values = cut.phase(waves)
    scale = phase_scale(values, view.well_covered, cyclic=cut.cyclic)
    low, high = (-math.pi, math.pi) if cut.cyclic else _turn(scale.low, scale.high)
    return Layer(
        name="phase",
        values=values,
        frame=frame,
        contrast=Contrast(low, high, "twilight", ("twilight", "hue", "viridis", "grey")),
        label="phase",
        unit="rad",
        alt="Phase of the reconstructed object, its global phase removed",
        link=_OBJECT,
    )


def _turn(low: float, high: float) -> tuple[float, float]:
    """Return the smallest 2 pi / 2^k around the middle of a range that holds it with room."""
    wanted, span = 1.15 * (high - low), 2 * math.pi
    while span / 2 > wanted:
        span /= 2
    middle = (low + high) / 2
    return middle - span / 2, middle + span / 2


def uncertainty_layers(image: Reconstruction) -> list[Layer]:
    """Return the standard deviations of phase and amplitude, where they are known."""
    if image.amplitude_std is None or image.phase_std is None:
        return []
    view = View.of(image.coverage, _MOST_SMALL_PX)
    named = (("phase", "rad", image.phase_std), ("amplitude", "", image.amplitude_std))
    return [
        _deviation(name, unit, view.mean(values), view, image.pixel_size_m)
        for name, unit, values in named
    ]


def _deviation(
    name: str, unit: str, values: np.ndarray, view: View, pixel_m: float | None
) -> Layer:
    return Layer(
        name=f"{name}-uncertainty",
        values=values,
        frame=Frame.of(view, pixel_m),
        contrast=Contrast(
            0.0, limits(values, view.well_covered, 1e-6)[1], "magma", ("magma", "viridis", "grey")
        ),
        label="standard deviation",
        unit=unit,
        alt=f"Standard deviation of the {name} in every pixel",
        link=_OBJECT,
    )


def coverage_layer(image: Reconstruction) -> Layer:
    """Return the illumination with the positions; the circle under the cursor is the probe."""
    view = View.of(image.coverage, _MOST_SMALL_PX)
    light = view.mean(image.coverage)
    every = max(1, -(-len(image.positions_px) // _MOST_DOTS))
    numbers = np.arange(0, len(image.positions_px), every)
    return Layer(
        name="coverage",
        values=light,
        frame=Frame.of(view, image.pixel_size_m),
        contrast=Contrast(
            0.0,
            max(float(np.nanmax(light, initial=0.0)), 1e-6),
            "grey",
            ("grey", "viridis", "inferno"),
        ),
        label="illumination",
        unit="of most",
        alt="Illumination of the object with the scan positions",
        dots=Dots(
            image.positions_px[numbers],
            numbers,
            _spacing_px(image.positions_px),
            halo_px=probe_diameter_px(image.probe),
        ),
        link=_OBJECT,
    )


def deviance_layer(image: Reconstruction, fit: PatternFit) -> Layer:
    """Return the scan as a mosaic: each pixel has the deviance of the pattern that is nearest."""
    places, ratio = image.positions_px[fit.numbers], fit.ratio
    view = View.of(image.coverage, _MOST_MOSAIC_PX)
    spacing = _spacing_px(places)
    values = _mosaic(places, ratio, view, 1.1 * spacing)
    every = max(1, -(-len(places) // _MOST_DOTS))
    return Layer(
        name="deviance",
        values=values,
        frame=Frame.of(view, image.pixel_size_m),
        contrast=Contrast(
            min(1.0, float(ratio.min())),
            max(_LEAST_RATIO, float(np.percentile(ratio, 99))),
            "viridis",
            ("viridis", "inferno", "grey"),
        ),
        label="× photon noise",
        alt="Scan positions, coloured by how badly their patterns are explained",
        dots=Dots(places[::every], fit.numbers[::every], spacing, ratio[::every]),
        link=_OBJECT,
    )


def _mosaic(places: np.ndarray, values: np.ndarray, view: View, reach_px: float) -> np.ndarray:
    """Return (h, w) values of the nearest place, NaN farther than the reach from any."""
    left, right, bottom, top = view.extent
    height, width = view.shape
    half = view.factor / 2
    y, x = np.meshgrid(
        np.linspace(top + half, bottom - half, height),
        np.linspace(left + half, right - half, width),
        indexing="ij",
    )
    apart, nearest = cKDTree(places).query(np.stack([y, x], axis=-1))
    return np.where(apart <= reach_px, values[nearest], np.nan)


def _spacing_px(places: np.ndarray) -> float:
    """Return the side of the square that a position has to itself."""
    extent = np.ptp(places, axis=0) if len(places) else np.ones(2)
    return float(np.sqrt(max(extent[0], 1.0) * max(extent[1], 1.0) / max(len(places), 1)))
