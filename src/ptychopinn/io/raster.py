"""Raster scans of electron microscopes: four axes, no positions, and often no step.

A 4-D scan (rows, columns, y, x) is a raster whose step and detector the file knows, or the user
says with ``--map "step=0.4A angle=0.8mrad energy=80keV particle=electrons"``. An object pixel is

    dx = wavelength / (N * angle)    or    dx = 1 / (N * frequency)

for a detector pixel that takes that angle (rad) or spatial frequency (1/m).
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ptychopinn.errors import ConfigError
from ptychopinn.io.file_map import FileMap
from ptychopinn.io.frame import Frame, frame_of_scan, require_positions
from ptychopinn.io.geometry import LENGTHS_M, parse_quantity
from ptychopinn.io.refusal import refusal

_ANGLES_RAD = {"rad": 1.0, "mrad": 1e-3, "urad": 1e-6}


@dataclass(frozen=True)
class Raster:
    """What is known of a raster scan; None where nothing is."""

    shape: tuple[int, int]
    """Rows and columns; columns follow each other in time."""
    step_m: tuple[float, float] | None = None
    """Distance of neighbouring rows, and of neighbouring columns."""
    step_px: tuple[float, float] | None = None
    """The same in object pixels."""
    wavelength_m: float | None = None
    """Of the electrons or photons."""
    angle_rad: float | None = None
    """Angle that a detector pixel takes."""
    frequency_per_m: float | None = None
    """Spatial frequency that a detector pixel takes."""

    def pixel_size_m(self, n: int) -> float | None:
        """Return the side of an object pixel of patterns of N x N pixels, when it is known."""
        if self.wavelength_m and self.angle_rad:
            return self.wavelength_m / (n * self.angle_rad)
        return 1 / (n * self.frequency_per_m) if self.frequency_per_m else None


@dataclass(frozen=True)
class PlacedRaster:
    """A raster scan in pixels."""

    frame: Frame
    """Positions and canvas."""
    pixel_size_m: float | None
    """Side of an object pixel."""
    wavelength_m: float | None
    """Wavelength."""
    decisions: tuple[str, ...]
    """Sentences that say what was decided."""


def overridden(raster: Raster, said: FileMap) -> Raster:
    """Return a raster with what ``--map`` says in its place.

    Raises:
        ConfigError: A value is not understood.
    """
    distance, pixel = said.number("distance"), said.number("pixel")
    if (distance is None) != (pixel is None):
        raise ConfigError(
            "data.map: found distance or pixel alone, wanted both, which give the angle that a "
            "detector pixel takes; add the other, or say angle=."
        )
    angle = pixel / distance if pixel and distance else raster.angle_rad
    given = said.values.get("angle")
    step_m, step_px = _steps(said.values.get("step"))
    return replace(
        raster,
        shape=_two_sizes(said.values.get("scan")) or raster.shape,
        step_m=None if step_px else step_m or raster.step_m,
        step_px=step_px or (None if step_m else raster.step_px),
        wavelength_m=said.wavelength_m or raster.wavelength_m,
        angle_rad=_one("angle", given, _ANGLES_RAD) if given else angle,
    )


def placed(
    path: str | Path, key: str, raster: Raster, said: FileMap, patterns: tuple[int, int]
) -> PlacedRaster:
    """Return the positions of a raster scan in pixels.

    Args:
        path: The file, for messages.
        key: What the patterns are called in it.
        raster: As the file has it.
        said: What ``--map`` says in its place.
        patterns: Number of patterns, and their side in pixels.

    Raises:
        DataError: There are not as many patterns as places; the step, or what tells the size of a
            pixel, is not known.
        ConfigError: A value of ``--map`` is not understood.
    """
    count, n = patterns
    raster = overridden(raster, said)
    _require_places(path, key, raster.shape, count)
    pixel_m = raster.pixel_size_m(n)
    step_px = raster.step_px or _step_in_pixels(path, key, raster, pixel_m)
    rows, columns = np.meshgrid(*(np.arange(size) for size in raster.shape), indexing="ij")
    positions = np.stack([rows.ravel(), columns.ravel()], axis=1) * np.array(step_px, np.float64)
    positions, turned_said = _rotated(positions, said)
    require_positions(path, "step of the raster", positions, n)
    sentence = (
        f"The {raster.shape[0]} x {raster.shape[1]} raster has a step of {step_px[0]:.4g} x "
        f"{step_px[1]:.4g} object pixels, rows downwards and columns to the right."
    )
    sizes = [f"An object pixel is {pixel_m:.5g} m."] if pixel_m else []
    return PlacedRaster(
        frame_of_raster(positions, n),
        pixel_m,
        raster.wavelength_m,
        (sentence, *sizes, *turned_said),
    )


def frame_of_raster(positions_px: np.ndarray, n: int) -> Frame:
    """Return a canvas on which the first window begins at 0."""
    return frame_of_scan(positions_px - positions_px.min(axis=0) + n // 2, n)


def _require_places(path: str | Path, key: str, shape: tuple[int, int], count: int) -> None:
    if math.prod(shape) != count:
        raise refusal(
            path,
            key,
            f"{count} patterns and a raster of {shape[0]} x {shape[1]}",
            "as many patterns as places",
            'say rows and columns with --map "scan=ROWSxCOLUMNS"',
        )


def _step_in_pixels(
    path: str | Path, key: str, raster: Raster, pixel_m: float | None
) -> tuple[float, float]:
    if raster.step_m and pixel_m:
        return raster.step_m[0] / pixel_m, raster.step_m[1] / pixel_m
    missing = [
        example
        for known, example in (
            (raster.step_m, "step=0.4A"),
            (pixel_m or raster.angle_rad, "angle=0.8mrad"),
            (pixel_m or raster.wavelength_m, "energy=80keV particle=electrons"),
        )
        if not known
    ]
    raise refusal(
        path,
        key,
        "a raster scan whose step in object pixels is not known",
        "step, angle of a detector pixel and energy, or the step in pixels",
        f'add --map "{" ".join(missing)}" with your values, or --map step=3px',
    )


def _rotated(positions: np.ndarray, said: FileMap) -> tuple[np.ndarray, list[str]]:
    """Turn a raster by the angle that ``--map`` says, from +x (columns) towards +y (rows)."""
    text = said.values.get("rotation")
    if not text:
        return positions, []
    angle = _one("rotation", text, {"deg": math.pi / 180, "rad": 1.0, "": math.pi / 180})
    cosine, sine = math.cos(angle), math.sin(angle)
    y, x = positions.T
    turned = np.stack([cosine * y + sine * x, cosine * x - sine * y], axis=1)
    return turned, [f"The raster is turned by {math.degrees(angle):g} degrees, as --map says."]


def _steps(text: str | None) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Return steps (rows, columns) in metres, or in pixels."""
    if text is None:
        return None, None
    parts = text.split(",")
    pixels = all(part.casefold().endswith("px") for part in parts)
    units = {"px": 1.0} if pixels else LENGTHS_M
    values = [_one("step", part, units) for part in parts]
    if len(values) > 2 or min(values) <= 0:
        raise ConfigError(f"data.map: step={text}: expected one step, or rows,columns.")
    pair = (values[0], values[-1])
    return (None, pair) if pixels else (pair, None)


def _two_sizes(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    parts = text.casefold().split("x")
    if len(parts) != 2 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise ConfigError(f"data.map: scan={text}: expected ROWSxCOLUMNS, such as scan=64x48.")
    return int(parts[0]), int(parts[1])


def _one(name: str, text: str, units: dict[str, float]) -> float:
    """Return a number with one of these units."""
    found = parse_quantity(text)
    if found is None or (found[1] or "").casefold() not in units:
        known = ", ".join(unit for unit in units if unit)
        raise ConfigError(f"data.map: {name}={text}: expected a number with its unit ({known}).")
    return found[0] * units[(found[1] or "").casefold()]
