"""The training file of Ptychodus 1.7.0 (HDF5): patterns, probe, object and positions in one.

Positions are pixels of the object and mean the middle of the probe window, (N - 1) / 2.
"""

from pathlib import Path

import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.count_blocks import write_counts
from ptychopinn.io.file_map import parse_map
from ptychopinn.io.geometry import photon_energy_ev
from ptychopinn.io.hdf5_writing import written_hdf5
from ptychopinn.io.measurement import Measurement, as_scan
from ptychopinn.io.metric_frame import exact_frame, from_window_middle, to_window_middle
from ptychopinn.io.metric_product import (
    read_coherent_probe,
    read_layer,
    require_as_many,
    usable_truth,
)
from ptychopinn.io.metric_product_writer import detector_distance_m
from ptychopinn.io.named_arrays import NamedArrays, opened_arrays, positive
from ptychopinn.io.npz_writer import object_guess
from ptychopinn.io.pattern_array import require_pattern_header
from ptychopinn.io.ptychodus_scan import read_marked, require_square
from ptychopinn.io.refusal import container, refusal
from ptychopinn.io.said_lengths import (
    ObjectPixel,
    pixels_of_positions,
    read_wavelength,
    said_pixel_m,
    said_wavelength,
)
from ptychopinn.scan import Scan

_DEFAULTS = DataConfig()
_POSITIONS = ("probe_position_y_px", "probe_position_x_px")
_WHAT = ", ".join(_POSITIONS)


def is_ptychodus_training(path: str | Path) -> bool:
    """Tell whether a file is a training file of Ptychodus."""
    if container(path) is None:
        return False
    with opened_arrays(path) as arrays:
        return all(key in arrays for key in ("patterns", *_POSITIONS))


def read_ptychodus_training(path: str | Path, data: DataConfig = _DEFAULTS) -> Scan:
    """Read a training file of Ptychodus.

    Raises:
        DataError: An array is missing, damaged or does not belong to the others; or what
            `as_scan` refuses.
    """
    with opened_arrays(path) as arrays:
        return as_scan(_measured(path, arrays, data), data)


def _measured(path: str | Path, arrays: NamedArrays, data: DataConfig) -> Measurement:
    shape, dtype = arrays.header("patterns")
    require_pattern_header(path, "patterns", shape, dtype)
    require_square(path, "patterns", shape)
    n, said = shape[2], parse_map(data.map)
    image, image_said = read_layer(arrays, "object")
    wavelength, energy_said = said_wavelength(
        said, lambda: read_wavelength(arrays, said, "photon_energy_eV")
    )
    pixel = _pixel(arrays, said_pixel_m(said, wavelength, n))
    placed = pixels_of_positions(
        path, _WHAT, _read_middles(arrays, shape[0]), said, "px", pixel.sides_m
    )
    canvas = None if placed.of_stage else (image.shape[0], image.shape[1])
    positions = from_window_middle(placed.positions_px, n)
    frame = exact_frame(path, _WHAT, positions, n, canvas, placed.stored)
    truth, truth_said = usable_truth("object", image) if frame.on_object else (None, [])
    probe, probe_said = read_coherent_probe(arrays)
    return Measurement(
        path=path,
        patterns=arrays.patterns("patterns"),
        patterns_key="patterns",
        frame=frame,
        probe=None if data.probe is not None else probe,
        marked=read_marked(arrays, n),
        domain="counts",
        truth=truth,
        pixel_size_m=pixel.side_m,
        wavelength_m=wavelength,
        decisions=(
            "Positions, middles of the probe windows, became positions of the centre pixel.",
            *(*placed.decisions, *energy_said, *pixel.decisions),
            *(*image_said, *probe_said, *truth_said),
        ),
    )


def _pixel(arrays: NamedArrays, said_m: float | None) -> ObjectPixel:
    """Return the object pixel that ``--map`` gives, or else that of the file."""
    if said_m is not None:
        return ObjectPixel.as_said(said_m)
    key = "object_pixel_width_m"
    return ObjectPixel.square(arrays.path, key, positive(arrays, key))


def _read_middles(arrays: NamedArrays, count: int) -> np.ndarray:
    """Return (K, 2) float64 (y, x) in pixels of the object."""
    columns = [arrays.read(key, kinds="iuf", ranks=(1,)) for key in _POSITIONS]
    require_as_many(arrays.path, _WHAT, *(len(column) for column in columns))
    if len(columns[0]) != count:
        raise refusal(
            arrays.path,
            _WHAT,
            f"{len(columns[0])} positions and {count} patterns",
            "as many positions as patterns",
            "export the training data again",
        )
    return np.stack(columns, axis=1).astype(np.float64)


def write_ptychodus_training(path: str | Path, scan: Scan) -> None:
    """Write a scan as Ptychodus 1.7.0 exports training data.

    The object is the truth, or ones. Pixel, energy and distance are 0 where they are not known; the
    distance is that of `metric_scan`. Amplitudes are squared, bad pixels 0.

    Raises:
        DataError: The truth has another shape than the canvas.
        OutputError: The file cannot be written; nothing is left half-written.
    """
    image = np.ascontiguousarray(object_guess(scan))
    middles = to_window_middle(np.asarray(scan.positions_px, np.float64), scan.n)
    wavelength, pixel = scan.wavelength_m, scan.pixel_size_m or 0.0
    with written_hdf5(path) as file:
        write_counts(file, "patterns", scan)
        file["bad_pixels"] = ~scan.mask
        file["probe"] = scan.probe
        file.create_dataset("object", data=image, compression="lzf")
        for key, column in zip(_POSITIONS, middles.T, strict=True):
            file[key] = column
        for side in ("height", "width"):
            file[f"object_pixel_{side}_m"] = pixel
        file["detector_object_distance_m"] = detector_distance_m(scan)
        file["photon_energy_eV"] = photon_energy_ev(wavelength) if wavelength else 0.0
        if wavelength is not None:
            file["wavelength_m"] = wavelength
