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
from ptychopinn.io.frame import Frame
from ptychopinn.io.metric_frame import exact_frame, from_window_middle, require_pixel
from ptychopinn.io.named_arrays import NamedArrays, number, positive
from ptychopinn.io.refusal import refusal
from ptychopinn.scan import LARGEST_CANVAS_PX

POSITIONS = "probe_position_y_m, probe_position_x_m"
#: Planck's constant times the speed of light over the elementary charge, in eV m.
HC_EV_M = 6.62607015e-34 * 299792458.0 / 1.602176634e-19


@dataclass(frozen=True)
class MetricProduct:
    """What such a file says of a scan, except its patterns."""

    path: str | Path
    """The file, for messages."""
    indexes: np.ndarray | None
    """(K,) int64, number of the pattern that each position belongs to; None = in their order."""
    positions_m: np.ndarray
    """(K, 2) float64 (y, x) of the middle of the probe window."""
    pixel_m: tuple[float, float]
    """Height and width of an object pixel."""
    center_m: tuple[float, float]
    """(y, x) of the middle of the object."""
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

    def frame(self, positions_m: np.ndarray, n: int) -> Frame:
        """Return the frame of positions in metres, for patterns of N pixels."""
        shape = (self.object.shape[0], self.object.shape[1])
        middle = (np.array(shape) - 1) / 2
        middles = (positions_m - np.array(self.center_m)) / np.array(self.pixel_m) + middle
        return exact_frame(self.path, POSITIONS, from_window_middle(middles, n), n, shape)

    def truth(self, frame: Frame) -> tuple[np.ndarray | None, list[str]]:
        """Return the object when it may serve as truth, and what was decided about it."""
        return usable_truth("object", self.object) if frame.on_object else (None, [])


def has_positions(arrays: NamedArrays) -> bool:
    """Tell whether a file is such a product."""
    return all(key in arrays for key in ("probe_position_x_m", "probe_position_y_m", "object"))


def read_metric_product(arrays: NamedArrays) -> MetricProduct:
    """Read everything but patterns.

    Raises:
        DataError: Positions or object are missing or of the wrong kind, the pixel of the object is
            not known, or numbers are not finite.
    """
    image, image_said = _read_object(arrays)
    pixel = (positive(arrays, "object_pixel_height_m"), positive(arrays, "object_pixel_width_m"))
    require_pixel(arrays.path, "object_pixel_height_m, object_pixel_width_m", pixel)
    pixel_m = (float(pixel[0] or 0), float(pixel[1] or 0))
    positions = _read_positions(arrays)
    pixel_size_m, pixel_said = _square(arrays, pixel_m)
    probe, probe_said = read_coherent_probe(arrays)
    energy_ev = positive(arrays, "photon_energy_eV", "probe_energy_eV")
    center = [number(arrays, f"object_center_{axis}_m") or 0.0 for axis in "yx"]
    return MetricProduct(
        path=arrays.path,
        indexes=_read_indexes(arrays, len(positions)),
        positions_m=positions,
        pixel_m=pixel_m,
        center_m=(center[0], center[1]),
        object=image,
        probe=probe,
        pixel_size_m=pixel_size_m,
        wavelength_m=HC_EV_M / energy_ev if energy_ev else None,
        decisions=(
            "Positions in metres, middles of the probe windows about the centre of the object, "
            f"became pixels of {_in_nm(pixel_m)}.",
            *(*image_said, *pixel_said, *probe_said),
        ),
    )


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


def _square(arrays: NamedArrays, pixel_m: tuple[float, float]) -> tuple[float | None, list[str]]:
    """Return the side of a square pixel that is known."""
    known = arrays.scalar("pixel_size_known")
    if known is not None and not bool(known):
        return None, []
    height, width = pixel_m
    if abs(height - width) <= 1e-3 * width:
        return width, []
    return None, [f"Pixels are not square ({height:g} x {width:g} m), so their size is left open."]


def _in_nm(pixel_m: tuple[float, float]) -> str:
    return f"{1e9 * pixel_m[0]:.6g} x {1e9 * pixel_m[1]:.6g} nm"
