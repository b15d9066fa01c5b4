"""Positions in metres, probe and object under the names that Ptychodus gave them.

Its products (HDF5 and NPZ, 2024 to 1.7.0) and the ``_para`` files of pty-chi, PtychoViT and NERSC
share them: ``probe_position_{x,y}_m`` about the centre of the object, ``probe_position_indexes``,
``probe``, ``object`` with its pixel in metres and its centre. A position lies on the object at

    q = (p - centre) / pixel + (W - 1) / 2        (W columns; the same for rows)

with +x towards higher columns and +y towards higher rows; it is the middle of the probe window.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ptychopinn.io.complex_array import is_constant
from ptychopinn.io.file_map import FileMap, require_measured
from ptychopinn.io.frame import Frame
from ptychopinn.io.geometry import require_plausible
from ptychopinn.io.metric_frame import exact_frame, from_window_middle, require_pixel
from ptychopinn.io.named_arrays import NamedArrays, number, positive
from ptychopinn.io.refusal import refusal
from ptychopinn.io.said_lengths import (
    ObjectPixel,
    pixels_of_positions,
    read_wavelength,
    said_pixel_m,
    said_wavelength,
)
from ptychopinn.io.scan_step import StoredUnit
from ptychopinn.scan import LARGEST_CANVAS_PX

POSITIONS = "probe_position_y_m, probe_position_x_m"
_PIXEL = "object_pixel_height_m, object_pixel_width_m"
#: What this package writes for a pixel of unknown size, be it saved again by Ptychodus.
_UNKNOWN_PIXEL_M = 1.0


@dataclass(frozen=True)
class MetricProduct:
    """What such a file says of a scan, except its patterns."""

    path: str | Path
    """The file, for messages."""
    indexes: np.ndarray | None
    """(K,) int64, number of the pattern that each position belongs to; None = in their order."""
    middles_px: np.ndarray
    """(K, 2) float64 (y, x) of the middle of the probe window, in pixels of the object."""
    stored: StoredUnit
    """What the file has the positions in."""
    on_grid: bool
    """True when the pixels of the object are those of the positions."""
    object: np.ndarray
    """(H, W) complex64, the first layer."""
    probe: np.ndarray | None
    """As stored; None when there is none."""
    pixel_size_m: float | None
    """Side of a pixel when it is square and known."""
    wavelength_m: float | None
    """Wavelength, when the energy is known."""
    decisions: tuple[str, ...]
    """Sentences that say what was decided."""

    def frame(self, middles_px: np.ndarray, n: int) -> Frame:
        """Return the frame of middles of windows, for patterns of N pixels."""
        shape = (self.object.shape[0], self.object.shape[1]) if self.on_grid else None
        positions = from_window_middle(middles_px, n)
        return exact_frame(self.path, POSITIONS, positions, n, shape, self.stored)

    def truth(self, frame: Frame) -> tuple[np.ndarray | None, list[str]]:
        """Return the object when it may serve as truth, and what was decided about it."""
        if not self.on_grid:
            return None, ["The object is set aside because --map gives other pixels."]
        return usable_truth("object", self.object) if frame.on_object else (None, [])


def has_positions(arrays: NamedArrays) -> bool:
    """Tell whether a file is such a product."""
    return all(key in arrays for key in ("probe_position_x_m", "probe_position_y_m", "object"))


def read_metric_product(arrays: NamedArrays, said: FileMap, n: int) -> MetricProduct:
    """Read everything but patterns.

    Args:
        arrays: The open file.
        said: What ``--map`` says in its place.
        n: Side N of the patterns, which tells the object pixel where ``--map`` gives a detector.

    Raises:
        DataError: Positions or object are missing or of the wrong kind, the pixel of the object is
            not known, numbers are not finite, or energy or pixel are absurd.
    """
    image, image_said = _read_object(arrays)
    wavelength, energy_said = said_wavelength(
        said, lambda: read_wavelength(arrays, said, "photon_energy_eV", "probe_energy_eV")
    )
    pixel = _pixel(arrays, said, said_pixel_m(said, wavelength, n))
    assert pixel.sides_m is not None  # `_pixel` refuses a file that tells none
    positions = pixels_of_positions(
        arrays.path, POSITIONS, _read_positions(arrays), said, "m", pixel.sides_m
    )
    center = [number(arrays, f"object_center_{axis}_m") or 0.0 for axis in "yx"]
    middle = (np.array(image.shape) - 1) / 2 - np.array(center) / np.array(pixel.sides_m)
    probe, probe_said = read_coherent_probe(arrays)
    return MetricProduct(
        path=arrays.path,
        indexes=_read_indexes(arrays, len(positions.positions_px)),
        middles_px=positions.positions_px + middle,
        stored=positions.stored,
        on_grid=not pixel.by_user,
        object=image,
        probe=probe,
        pixel_size_m=pixel.side_m,
        wavelength_m=wavelength,
        decisions=(
            "Positions in metres, middles of the probe windows about the centre of the object, "
            f"became pixels of {_in_nm(pixel.sides_m)}.",
            *(*positions.decisions, *energy_said, *image_said, *pixel.decisions, *probe_said),
        ),
    )


def _pixel(arrays: NamedArrays, said: FileMap, said_m: float | None) -> ObjectPixel:
    """Return the object pixel that ``--map`` gives, or else that of the file."""
    known = arrays.scalar("pixel_size_known")
    nominal = known is not None and not bool(known)
    if said_m is not None:
        require_measured(said, arrays.path, known=not nominal)
        return ObjectPixel.as_said(said_m)
    sides = (positive(arrays, "object_pixel_height_m"), positive(arrays, "object_pixel_width_m"))
    require_pixel(arrays.path, _PIXEL, sides)
    height, width = float(sides[0] or 0), float(sides[1] or 0)
    if nominal or (height, width) == (_UNKNOWN_PIXEL_M,) * 2:
        return ObjectPixel((height, width), None)
    for key, side in (("object_pixel_height_m", height), ("object_pixel_width_m", width)):
        require_plausible(arrays.path, key, "object pixel", side)
    if abs(height - width) <= 1e-3 * width:
        return ObjectPixel((height, width), width)
    left_open = f"Pixels are not square ({height:g} x {width:g} m), so their size is left open."
    return ObjectPixel((height, width), None, decisions=(left_open,))


def usable_truth(key: str, image: np.ndarray) -> tuple[np.ndarray | None, list[str]]:
    """Return an object (H, W) unless it is a placeholder, and what was decided about it."""
    if not np.isfinite(image).all():
        return None, [f"{key} only gives the size of the canvas because it holds NaN or infinity."]
    if is_constant(image):
        return None, [f"{key} only gives the size of the canvas because it is constant."]
    return image, [f"{key} is taken as the true object, to compare with."]


def read_coherent_probe(arrays: NamedArrays) -> tuple[np.ndarray | None, list[str]]:
    """Return the probe as stored, and what was decided; None when there is none."""
    if "probe" not in arrays:
        return None, []
    probe = arrays.read("probe", kinds="cf", ranks=(2, 3, 4))
    if probe.ndim == 4 and len(probe) > 1:
        return probe, [f"Of {len(probe)} coherent probes the first is used, without its weights."]
    weights = "opr_weights"
    # A dataset of its own since 1.7, an attribute of the probe before.
    if weights in arrays or arrays.scalar(f"probe_{weights}") is not None:
        return probe, [f"{weights} are not used: one probe is taken for all patterns."]
    return probe, []


def read_layer(arrays: NamedArrays, key: str) -> tuple[np.ndarray, list[str]]:
    """Return the first layer (H, W) complex64 of an object, and what was decided."""
    shape, _ = arrays.header(key)
    if 0 in shape or np.prod(shape[-2:], dtype=float) > LARGEST_CANVAS_PX:
        raise refusal(
            arrays.path,
            key,
            f"shape {shape}",
            f"1 to {LARGEST_CANVAS_PX} pixels",
            "check which program wrote it",
        )
    image = arrays.read(key, kinds="cf", ranks=(2, 3)).astype(np.complex64)
    if image.ndim == 2:
        return image, []
    said = f"Of {len(image)} layers of {key} only the first is used."
    return image[0], [said] if len(image) > 1 else []


def _read_object(arrays: NamedArrays) -> tuple[np.ndarray, list[str]]:
    return read_layer(arrays, "object")


def _read_positions(arrays: NamedArrays) -> np.ndarray:
    """Return (K, 2) float64 (y, x)."""
    columns = [
        arrays.read(f"probe_position_{axis}_m", kinds="iuf", ranks=(1, 2)).reshape(-1)
        for axis in "yx"
    ]
    require_as_many(arrays.path, POSITIONS, len(columns[0]), len(columns[1]))
    return np.stack(columns, axis=1).astype(np.float64)


def require_as_many(path: str | Path, what: str, rows: int, columns: int) -> None:
    """Refuse different numbers of y and x."""
    if rows != columns or rows == 0:
        raise refusal(path, what, f"{rows} y and {columns} x", "equal numbers", "export it again")


def _read_indexes(arrays: NamedArrays, count: int) -> np.ndarray | None:
    key = "probe_position_indexes"
    if key not in arrays:
        return None
    indexes = arrays.read(key, kinds="iuf", ranks=(1, 2)).reshape(-1)
    if len(indexes) != count:
        raise refusal(
            arrays.path, key, f"{len(indexes)} numbers", f"{count}, one a position", "export again"
        )
    return indexes.astype(np.int64)


def _in_nm(pixel_m: tuple[float, float]) -> str:
    return f"{1e9 * pixel_m[0]:.6g} x {1e9 * pixel_m[1]:.6g} nm"
