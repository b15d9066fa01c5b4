"""Reconstructions as products of Ptychodus 1.7.0 (HDF5), written and read.

Frame of a product: a position p in metres is the middle of the probe window, and lies on the
object at pixel

    q = (p - center) / pixel + (W - 1) / 2        (W columns; the same for rows)

with +x towards higher columns and +y towards higher rows. Window pixel i lies on q + i - (N - 1)/2,
whereas a position of this package is where the *centre pixel* N // 2 lies, hence

    ours = q + N // 2 - (N - 1) / 2               (q + 1/2 for even N, q for odd N).

Pixel k of the product's object is pixel k of our canvas. When no pixel size is known, it is written
as 1 m with the attribute ``pixel_size_known`` False: every reader still finds the right pixels,
which NaN or 0 would not let it. Distance and energy that are not known are 0, as in Ptychodus.
"""

import json
import logging
import math
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from ptychopinn.axes import require_axes
from ptychopinn.io.complex_array import as_probe
from ptychopinn.io.hdf5 import opened_hdf5, read_dataset, require_dataset
from ptychopinn.io.hdf5_writing import written_hdf5
from ptychopinn.io.product_fit import (
    read_pattern_fit,
    read_ring_correlation,
    write_pattern_fit,
    write_ring_correlation,
)
from ptychopinn.io.refusal import refusal, said_briefly
from ptychopinn.scan import LARGEST_CANVAS_PX, Reconstruction

_LOG = logging.getLogger(__name__)

#: Planck's constant times the speed of light over the elementary charge, in eV m.
_HC_EV_M = 6.62607015e-34 * 299792458.0 / 1.602176634e-19
#: Stands for an unknown pixel size; it outlives being read and saved by Ptychodus.
_UNKNOWN_PIXEL_M = 1.0
_EXTRAS = "ptychopinn"
#: Standard deviations, where there are some.
_DEVIATIONS = ("amplitude_std", "phase_std")


class _Geometry(NamedTuple):
    """How metres of a product become pixels, per axis (y, x)."""

    pixel_m: tuple[float, float]
    center_m: tuple[float, float]
    shape: tuple[int, int]
    n: int

    def to_metres(self, positions_px: np.ndarray) -> np.ndarray:
        middle = (np.array(self.shape) - 1) / 2
        q = positions_px - self._centre_pixel_offset()
        return (q - middle) * np.array(self.pixel_m) + np.array(self.center_m)

    def to_pixels(self, positions_m: np.ndarray) -> np.ndarray:
        middle = (np.array(self.shape) - 1) / 2
        q = (positions_m - np.array(self.center_m)) / np.array(self.pixel_m) + middle
        return q + self._centre_pixel_offset()

    def _centre_pixel_offset(self) -> float:
        return self.n // 2 - (self.n - 1) / 2


def write_product(path: str | Path, reconstruction: Reconstruction) -> None:
    """Write a reconstruction as a product that Ptychodus 1.7.0 opens.

    Beside the layout of Ptychodus the file holds ``coverage`` (H, W), ``positions_px`` (K, 2), of
    what was refined ``start_probe`` (P, N, N) and ``start_positions_px`` (K, 2), ``amplitude_std``
    and ``phase_std`` (H, W) where they are known, the group ``pattern_fit`` and ``half_data_frc``
    (3, R) where the patterns were compared with what the object predicts, and, as JSON in the
    attribute ``ptychopinn``, provenance and quality.

    Raises:
        ShapeError: Arrays of the reconstruction do not belong together.
        OutputError: The file cannot be written.
    """
    with written_hdf5(path) as file:
        fill_product(file, reconstruction)


def fill_product(file: h5py.File, reconstruction: Reconstruction) -> None:
    """Write a reconstruction into an empty file that is open, as `write_product` does.

    Raises:
        ShapeError: Arrays of the reconstruction do not belong together.
    """
    _require_consistent(reconstruction)
    _write_attributes(file, reconstruction)
    _write_arrays(file, reconstruction)


def _require_consistent(made: Reconstruction) -> None:
    sizes = require_axes("object", made.object, "H W", kind="complex")
    require_axes("coverage", made.coverage, "H W", kind="real", H=sizes["H"], W=sizes["W"])
    require_axes("probe", made.probe, "P N N", kind="complex")
    require_axes("positions", made.positions_px, "K 2", kind="real")
    require_axes("losses", made.losses, "E", kind="real")
    for key in _DEVIATIONS:
        if getattr(made, key) is not None:
            require_axes(key, getattr(made, key), "H W", kind="real", H=sizes["H"], W=sizes["W"])


def _write_attributes(file: h5py.File, made: Reconstruction) -> None:
    energy_ev = _HC_EV_M / made.wavelength_m if made.wavelength_m else 0.0
    file.attrs.update(
        {
            "name": Path(str(made.provenance.get("scan", "reconstruction"))).stem,
            "comments": "Reconstructed by ptychopinn.",
            "detector_object_distance_m": 0.0,
            "focus_object_distance_m": 0.0,
            "photon_energy_eV": energy_ev,
            "probe_photon_count": float(np.sum(np.abs(made.probe.astype(np.complex128)) ** 2)),
            "exposure_time_s": 0.0,
            "mass_attenuation_m2_per_kg": 0.0,
            "tomography_angle_deg": 0.0,
            "tilt_angle_deg": 0.0,
            "far_field": True,
            "pixel_size_known": made.pixel_size_m is not None,
            _EXTRAS: _extras_as_json(made),
        }
    )


def _write_arrays(file: h5py.File, made: Reconstruction) -> None:
    pixel_m = _UNKNOWN_PIXEL_M if made.pixel_size_m is None else made.pixel_size_m
    height, width = made.object.shape
    geometry = _Geometry((pixel_m,) * 2, (0.0, 0.0), (height, width), made.probe.shape[-1])
    positions_m = geometry.to_metres(np.asarray(made.positions_px, dtype=np.float64))
    pixel = {"pixel_height_m": pixel_m, "pixel_width_m": pixel_m}
    file.create_dataset("probe", data=made.probe[None].astype(np.complex64)).attrs.update(pixel)
    image = file.create_dataset("object", data=made.object[None].astype(np.complex64))
    image.attrs.update(pixel | {"center_x_m": 0.0, "center_y_m": 0.0})
    file["object_layer_spacing_m"] = np.empty(0)
    file["probe_position_indexes"] = np.arange(len(positions_m))
    file["probe_position_x_m"] = positions_m[:, 1]
    file["probe_position_y_m"] = positions_m[:, 0]
    file["loss_epochs"] = np.arange(len(made.losses))
    file["loss_values"] = np.asarray(made.losses, dtype=np.float64)
    file["coverage"] = made.coverage.astype(np.float32)
    file["positions_px"] = np.asarray(made.positions_px, dtype=np.float64)
    if made.start_probe is not None:
        file["start_probe"] = made.start_probe.astype(np.complex64)
    if made.start_positions_px is not None:
        file["start_positions_px"] = np.asarray(made.start_positions_px, dtype=np.float64)
    for key in _DEVIATIONS:
        deviation = getattr(made, key)
        if deviation is not None:
            file[key] = deviation.astype(np.float32)
    if made.pattern_fit is not None:
        write_pattern_fit(file, made.pattern_fit)
    if made.half_data_frc is not None:
        write_ring_correlation(file, made.half_data_frc)


def _extras_as_json(made: Reconstruction) -> str:
    """Return what the layout of Ptychodus has no place for; NaN and infinity become null."""
    extras = {
        "provenance": made.provenance,
        "quality": {name: _finite(value) for name, value in made.quality.items()},
    }
    return json.dumps(extras, default=_plain)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _plain(value: Any) -> Any:
    """Turn NumPy values into plain ones, and the rest (paths, dates) into text."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)


def read_product(path: str | Path) -> Reconstruction:
    """Read a product that this package or Ptychodus (2024 to 1.7.0) wrote.

    Of several coherent probes and of several object layers the first is used. What a foreign
    product lacks is made: the coverage from probe and positions; a missing centre is 0. Sizes are
    checked before anything is read.

    Raises:
        DataError: The file is not HDF5, truncated, lacks a dataset or a pixel size, holds arrays
            of the wrong rank, kind or size, or positions that are not finite.
    """
    with opened_hdf5(path) as file:
        image = _read_object(file, path)
        height, width = image.shape
        probe = _read_probe(file, path)
        positions, pixel_size_m = _read_positions(file, path, (height, width), probe.shape[-1])
        provenance, quality = _read_extras(file, path)
        return Reconstruction(
            object=image,
            coverage=_read_coverage(file, path, (height, width), probe, positions),
            probe=probe,
            positions_px=positions,
            losses=_read_losses(file, path),
            pixel_size_m=pixel_size_m,
            wavelength_m=_read_wavelength_m(file, path),
            provenance=provenance,
            quality=quality,
            start_probe=_read_start_probe(file, path),
            start_positions_px=_read_start_positions(file, path, len(positions)),
            amplitude_std=_read_deviation(file, path, "amplitude_std", (height, width)),
            phase_std=_read_deviation(file, path, "phase_std", (height, width)),
            pattern_fit=read_pattern_fit(file, path, probe.shape[-1]),
            half_data_frc=read_ring_correlation(file, path),
        )


def read_product_probe(path: str | Path) -> np.ndarray:
    """Return the probe (P, N, N) complex64 of a product, the first where several are coherent."""
    with opened_hdf5(path) as file:
        return _read_probe(file, path)


def read_product_object(path: str | Path) -> np.ndarray:
    """Return the first layer (H, W) complex64 of the object of a product."""
    with opened_hdf5(path) as file:
        return _read_object(file, path)


def _read_object(file: h5py.File, path: str | Path) -> np.ndarray:
    shape = tuple(require_dataset(file, path, "object").shape or ())
    if 0 in shape or math.prod(shape[-2:]) > LARGEST_CANVAS_PX:
        raise refusal(
            path,
            "object",
            f"shape {shape}",
            f"1 to {LARGEST_CANVAS_PX} pixels",
            "check which program wrote it",
        )
    image = read_dataset(file, path, "object", kinds="c", ranks=(2, 3)).astype(np.complex64)
    if image.ndim == 3 and len(image) > 1:
        _LOG.warning("%s: object: of %d layers only the first is used.", path, len(image))
    return image[0] if image.ndim == 3 else image


def _read_probe(file: h5py.File, path: str | Path) -> np.ndarray:
    stored = read_dataset(file, path, "probe", kinds="c", ranks=(2, 3, 4))
    if stored.ndim == 4 and len(stored) > 1:
        _LOG.warning("%s: probe: of %d coherent probes the first is used.", path, len(stored))
    return as_probe(path, "probe", stored)


def _read_positions(
    file: h5py.File, path: str | Path, shape: tuple[int, int], n: int
) -> tuple[np.ndarray, float | None]:
    """Return (K, 2) positions in pixels and the pixel size, where one is known."""
    geometry = _read_geometry(file, path, shape, n)
    columns = [
        read_dataset(file, path, f"probe_position_{axis}_m", kinds="iuf", ranks=(1,))
        for axis in "yx"
    ]
    if len(columns[0]) != len(columns[1]):
        raise refusal(
            path,
            "probe_position_x_m",
            f"{len(columns[1])} values beside {len(columns[0])} of probe_position_y_m",
            "equal numbers",
            "export the product again",
        )
    positions = geometry.to_pixels(np.stack(columns, axis=1).astype(np.float64))
    if "positions_px" in file:
        positions = _exact_positions(file, path, positions)
    if not np.isfinite(positions).all():
        raise refusal(
            path,
            "probe_position_x_m, probe_position_y_m",
            "NaN or infinity",
            "finite metres",
            "export the product again",
        )
    pixel_size_m = geometry.pixel_m[0]
    return positions, None if pixel_size_m == _UNKNOWN_PIXEL_M else pixel_size_m


def _exact_positions(file: h5py.File, path: str | Path, from_metres: np.ndarray) -> np.ndarray:
    """Return the positions that this package stored in pixels, once they agree with the metres."""
    stored = read_dataset(file, path, "positions_px", kinds="f", ranks=(2,))
    if stored.shape != from_metres.shape or np.abs(stored - from_metres).max(initial=0) > 1e-3:
        _LOG.warning("%s: positions_px contradicts the positions in metres; not used.", path)
        return from_metres
    return stored


def _read_deviation(
    file: h5py.File, path: str | Path, key: str, shape: tuple[int, int]
) -> np.ndarray | None:
    """Return standard deviations (H, W), where there are some; NaN is allowed."""
    if key not in file:
        return None
    stored = read_dataset(file, path, key, kinds="f", ranks=(2,)).astype(np.float32)
    if stored.shape == shape and not (stored < 0).any():
        return stored
    raise refusal(
        path,
        key,
        f"shape {stored.shape}, or negative values",
        f"{shape}, as the object, and at least 0",
        "write the product again",
    )


def _read_start_probe(file: h5py.File, path: str | Path) -> np.ndarray | None:
    """Return the probe before its refinement, where there was one."""
    if "start_probe" not in file:
        return None
    stored = read_dataset(file, path, "start_probe", kinds="c", ranks=(3,))
    return as_probe(path, "start_probe", stored)


def _read_start_positions(file: h5py.File, path: str | Path, count: int) -> np.ndarray | None:
    """Return the positions in pixels before their refinement, where there was one."""
    key = "start_positions_px"
    if key not in file:
        return None
    stored = read_dataset(file, path, key, kinds="f", ranks=(2,))
    if stored.shape == (count, 2) and np.isfinite(stored).all():
        return stored
    raise refusal(
        path,
        key,
        f"shape {stored.shape}, or NaN or infinity",
        f"({count}, 2) finite pixels",
        "write the product again",
    )


def _read_geometry(file: h5py.File, path: str | Path, shape: tuple[int, int], n: int) -> _Geometry:
    attributes = require_dataset(file, path, "object").attrs
    height, width = (
        _number(attributes, path, f"object attribute pixel_{name}_m", f"pixel_{name}_m")
        for name in ("height", "width")
    )
    if not (0 < height < math.inf and 0 < width < math.inf):
        raise refusal(
            path,
            "object attributes pixel_height_m, pixel_width_m",
            f"{height} and {width}",
            "positive metres",
            "set them in the program that wrote the product",
        )
    if not math.isclose(height, width, rel_tol=1e-3):
        _LOG.warning("%s: object: pixels are not square (%g x %g m).", path, height, width)
    center_y, center_x = (
        _number(attributes, path, f"object attribute center_{axis}_m", f"center_{axis}_m", 0.0)
        for axis in "yx"
    )
    return _Geometry((height, width), (center_y, center_x), shape, n)


def _number(
    attributes: Any, path: str | Path, what: str, key: str, default: float | None = None
) -> float:
    """Return an attribute that is one number; refuses a missing one without default."""
    value = attributes.get(key, default)
    if value is not None and np.size(value) == 1 and np.asarray(value).dtype.kind in "iuf":
        return float(np.asarray(value).reshape(()))
    found = "nothing" if value is None else repr(value)[:40]
    raise refusal(path, what, found, "one number", "check which program wrote it")


def _read_wavelength_m(file: h5py.File, path: str | Path) -> float | None:
    """Return the wavelength of the photon energy, or nothing when that is 0 or absent."""
    key = "photon_energy_eV" if "photon_energy_eV" in file.attrs else "probe_energy_eV"
    energy_ev = _number(file.attrs, path, f"attribute {key}", key, 0.0)
    return _HC_EV_M / energy_ev if 0 < energy_ev < math.inf else None


def _read_losses(file: h5py.File, path: str | Path) -> np.ndarray:
    """Return the losses; older products call them costs; many have none."""
    for key in ("loss_values", "costs"):
        if key in file:
            return read_dataset(file, path, key, kinds="iuf", ranks=(1,)).astype(np.float64)
    return np.empty(0)


def _read_coverage(
    file: h5py.File,
    path: str | Path,
    shape: tuple[int, int],
    probe: np.ndarray,
    positions_px: np.ndarray,
) -> np.ndarray:
    if "coverage" not in file:
        return _illumination(shape, probe, positions_px)
    coverage = read_dataset(file, path, "coverage", kinds="f", ranks=(2,))
    if coverage.shape != shape:
        raise refusal(
            path,
            "coverage",
            f"shape {coverage.shape}",
            f"{shape}, as the object",
            "write the product again",
        )
    return coverage.astype(np.float32)


def _illumination(
    shape: tuple[int, int], probe: np.ndarray, positions_px: np.ndarray
) -> np.ndarray:
    """Return sum |P|^2 over the windows, at whole pixels, as a share of its maximum."""
    power = np.sum(np.abs(probe) ** 2, axis=0)
    n = len(power)
    total = np.zeros(shape)
    near = ((positions_px > -n) & (positions_px < np.array(shape) + n)).all(axis=1)
    for top, left in np.floor(positions_px[near]).astype(np.int64) - n // 2:
        rows = slice(max(top, 0), max(top + n, 0))
        columns = slice(max(left, 0), max(left + n, 0))
        lit = total[rows, columns]
        start_y, start_x = max(-top, 0), max(-left, 0)
        lit += power[start_y : start_y + lit.shape[0], start_x : start_x + lit.shape[1]]
    return (total / (total.max() or 1.0)).astype(np.float32)


def _read_extras(file: h5py.File, path: str | Path) -> tuple[dict[str, Any], dict[str, float]]:
    """Return provenance and quality; a product of another program has none."""
    text = file.attrs.get(_EXTRAS)
    if text is None:
        return {}, {}
    try:
        extras = json.loads(text)
        provenance, quality = dict(extras["provenance"]), dict(extras["quality"])
        figures = {name: math.nan if v is None else float(v) for name, v in quality.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise refusal(
            path,
            f"attribute {_EXTRAS}",
            f"something else ({said_briefly(error)})",
            "JSON with provenance and quality",
            "write the product again, or remove the attribute",
        ) from error
    return provenance, figures
