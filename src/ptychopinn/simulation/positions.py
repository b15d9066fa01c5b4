"""Where the probe stands: sub-pixel positions of a given mean spacing on a canvas of their own."""

from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree

from ptychopinn.config import SimulationConfig
from ptychopinn.errors import ConfigError
from ptychopinn.scan import LARGEST_CANVAS_PX, canvas_covering

#: Canvas pixels between its edge and the outermost window.
MARGIN_PX = 4
#: Random positions nearer to each other than this share of the mean spacing are moved apart.
SMALLEST_DISTANCE = 0.75
_ROUNDS = 30
_GOLDEN_ANGLE_RAD = np.pi * (3 - np.sqrt(5))

Layout = Callable[[SimulationConfig, np.random.Generator], np.ndarray]


def make_positions(
    settings: SimulationConfig, rng: np.random.Generator
) -> tuple[np.ndarray, tuple[int, int]]:
    """Lay out the scan that the settings name, with a canvas that holds every window.

    Returns:
        (K, 2) float64 (y, x) of the windows' centre pixels (index N // 2), and the canvas (H, W).

    Raises:
        ConfigError: The canvas would be larger than any that is reconstructed.
    """
    points = POSITIONS[settings.scan](settings, rng)
    positions = points - points.min(axis=0) + settings.n // 2 + MARGIN_PX
    height, width = canvas_covering(positions, settings.n)
    if height * width > LARGEST_CANVAS_PX:
        raise ConfigError(
            f"simulation: found a canvas of {height} x {width} pixels for {settings.patterns} "
            f"patterns {settings.step_px:g} px apart, wanted {LARGEST_CANVAS_PX} pixels at most; "
            "lower --patterns or --step-px."
        )
    return positions, (height, width)


def raster(settings: SimulationConfig, rng: np.random.Generator) -> np.ndarray:
    """Fill a nearly square grid of pitch step_px row by row, then jitter every position.

    The last row may be short. Jitter keeps the periodic grid from leaving periodic artefacts.
    """
    columns = int(np.ceil(np.sqrt(settings.patterns)))
    grid = np.stack(np.divmod(np.arange(settings.patterns), columns), axis=1)
    return grid * settings.step_px + rng.normal(0, settings.jitter_px, grid.shape)


def fermat(settings: SimulationConfig, rng: np.random.Generator) -> np.ndarray:
    """Follow Fermat's spiral, r = c sqrt(k), turning by the golden angle; it starts anywhere.

    c is chosen so that the mean distance to the nearest neighbour is step_px.
    Source: Huang et al., Opt. Express 22, 12634 (2014).
    """
    k = np.arange(settings.patterns) + 0.5
    angle = k * _GOLDEN_ANGLE_RAD + rng.uniform(0, 2 * np.pi)
    spiral = np.sqrt(k)[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return _spaced(spiral, settings.step_px)


def random(settings: SimulationConfig, rng: np.random.Generator) -> np.ndarray:
    """Draw positions evenly from a square and move apart those that are too near.

    The mean distance to the nearest neighbour is step_px.
    """
    points = rng.uniform(0, np.sqrt(settings.patterns), (settings.patterns, 2))
    for _ in range(_ROUNDS if settings.patterns > 1 else 0):
        points = _moved_apart(points)
    return _spaced(points, settings.step_px)


def _moved_apart(points: np.ndarray) -> np.ndarray:
    """Move every point half of what it lacks in distance away from its nearest neighbour."""
    distance, index = cKDTree(points).query(points, k=2)
    lack = np.clip(SMALLEST_DISTANCE - distance[:, 1:], 0, None)
    away = (points - points[index[:, 1]]) / np.maximum(distance[:, 1:], 1e-12)
    return points + 0.5 * lack * away


def _spaced(points: np.ndarray, step_px: float) -> np.ndarray:
    """Scale positions to the wanted mean distance between nearest neighbours."""
    if len(points) == 1:
        return points
    nearest = cKDTree(points).query(points, k=2)[0][:, 1]
    return points * (step_px / nearest.mean())


POSITIONS: dict[str, Layout] = {"raster": raster, "fermat": fermat, "random": random}
