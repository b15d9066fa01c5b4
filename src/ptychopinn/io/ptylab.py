"""Scans of PtyLab (HDF5, also ``.mat`` of version 7.3): conventional ptychography, far field.

Root datasets, all in metres: ``ptychogram`` (K, N, N) intensities, ``encoder`` (K, 2) (row,
column), ``dxd`` (detector pixel), ``zo`` (distance), ``wavelength``; where there ``orientation``
(0 to 7, as in ptypy). The window of an encoder position e begins at

    round(e / dx) + No // 2 - N // 2,    dx = wavelength * zo / (N * dxd)

on an object of No x No pixels, so its centre pixel lies at e / dx + No // 2; the part of a pixel
that PtyLab rounds away is kept. A scan that this package wrote also has ``probe``, ``object`` and
``bad_pixels``, which PtyLab does not read.
"""

from pathlib import Path

import h5py
import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.count_blocks import write_counts
from ptychopinn.io.file_map import FileMap, parse_map, require_measured
from ptychopinn.io.frame_view import FrameView
from ptychopinn.io.geometry import require_plausible
from ptychopinn.io.hdf5_writing import written_hdf5
from ptychopinn.io.measurement import Measurement, as_scan
from ptychopinn.io.metric_frame import exact_frame
from ptychopinn.io.metric_product import (
    read_coherent_probe,
    read_layer,
    usable_truth,
)
from ptychopinn.io.metric_scan import in_metres
from ptychopinn.io.named_arrays import NamedArrays, number, opened_arrays, positive
from ptychopinn.io.npz_writer import object_guess
from ptychopinn.io.pattern_array import require_pattern_header
from ptychopinn.io.ptychodus_scan import read_marked, require_square
from ptychopinn.io.refusal import container, refusal
from ptychopinn.io.said_lengths import pixels_of_positions
from ptychopinn.io.stored_patterns import turned
from ptychopinn.scan import Scan

_DEFAULTS = DataConfig()
_SAID = ("wavelength, zo and dxd are as --map says where it does; an object is set aside.",)
#: What the lengths are called in the file, and in ``--map``.
_LENGTHS = {"wavelength": "wavelength", "zo": "distance", "dxd": "pixel"}


def is_ptylab(path: str | Path) -> bool:
    """Tell whether a file holds a scan of PtyLab."""
    if container(path) != "hdf5":
        return False
    with opened_arrays(path) as arrays:
        return "ptychogram" in arrays


def read_ptylab(path: str | Path, data: DataConfig = _DEFAULTS) -> Scan:
    """Read a scan of PtyLab.

    Raises:
        DataError: An array or a length is missing, damaged or does not belong to the others; the
            file is of Fourier ptychography; or what `as_scan` refuses.
    """
    with opened_arrays(path) as arrays:
        return as_scan(_measured(path, arrays, data), data)


def _measured(path: str | Path, arrays: NamedArrays, data: DataConfig) -> Measurement:
    shape, dtype = arrays.header("ptychogram")
    require_pattern_header(path, "ptychogram", shape, dtype)
    require_square(path, "ptychogram", shape)
    n = shape[2]
    said = parse_map(data.map)
    pixel_known, wavelength_known = (_is_known(arrays, key) for key in ("pixel_size", "wavelength"))
    require_measured(said, path, known=pixel_known and wavelength_known)
    wavelength, distance, detector_pixel = _read_lengths(arrays, said)
    pixel = wavelength * distance / (n * detector_pixel)
    require_plausible(path, "wavelength * zo / (N * dxd)", "object pixel", pixel)
    image, image_said = read_layer(arrays, "object") if "object" in arrays else (None, [])
    canvas = None if image is None else (image.shape[0], image.shape[1])
    origin = np.array(canvas or (0, 0)) // 2
    encoder = pixels_of_positions(
        path, "encoder", _read_encoder(arrays, shape[0]), said, "m", (pixel, pixel)
    )
    frame = exact_frame(
        *(path, "encoder", encoder.positions_px + origin, n),
        None if said.changes_pixels else canvas,
        encoder.stored,
    )
    usable = image is not None and frame.on_object
    truth, truth_said = (
        usable_truth("object", image) if usable and image is not None else (None, [])
    )
    view, view_said = _orientation(arrays, n)
    probe, probe_said = read_coherent_probe(arrays)
    return Measurement(
        path=path,
        patterns=turned(arrays.patterns("ptychogram"), view),
        patterns_key="ptychogram",
        frame=frame,
        probe=None if data.probe is not None else probe,
        marked=_turned_mask(read_marked(arrays, n), view),
        domain="counts",
        truth=truth,
        pixel_size_m=pixel if pixel_known else None,
        wavelength_m=wavelength if wavelength_known else None,
        decisions=(
            f"encoder, metres, became pixels of {pixel:g} m (wavelength * zo / (N * dxd)) about "
            "the middle of the object.",
            *(_SAID if said.changes_pixels else ()),
            *(*encoder.decisions, *view_said, *image_said, *truth_said, *probe_said),
        ),
    )


def _read_lengths(arrays: NamedArrays, said: FileMap) -> tuple[float, float, float]:
    """Return wavelength, distance and detector pixel, as ``--map`` or else the file says them."""
    wavelength, distance, pixel = (
        _read_length(arrays, key, what, said.wavelength_m if key == what else said.number(what))
        for key, what in _LENGTHS.items()
    )
    return wavelength, distance, pixel


def _read_length(arrays: NamedArrays, key: str, what: str, said_m: float | None) -> float:
    value = positive(arrays, key) if said_m is None else said_m
    if value is None and "zled" in arrays:
        raise refusal(
            arrays.path,
            "zled",
            "a scan of Fourier ptychography",
            "one of conventional ptychography, with zo",
            "this package reconstructs no Fourier ptychography",
        )
    if value is None:
        raise refusal(
            arrays.path,
            key,
            "nothing above 0",
            "metres",
            f"add the dataset {key}, or say --map {what}=",
        )
    return require_plausible(arrays.path, key, what, value)


def _is_known(arrays: NamedArrays, what: str) -> bool:
    """Tell whether a number is measured; a scan that this package wrote may hold nominal ones."""
    said = arrays.scalar(f"{what}_known")
    return said is None or bool(said)


def _read_encoder(arrays: NamedArrays, count: int) -> np.ndarray:
    """Return (K, 2) float64 (row, column) in metres; (2, K) is turned, as PtyLab does."""
    encoder = arrays.read("encoder", kinds="iuf", ranks=(2,)).astype(np.float64)
    if encoder.shape == (2, count) and count > 2:
        encoder = encoder.T
        encoder = encoder - encoder.mean(axis=0)
    if encoder.shape != (count, 2):
        raise refusal(
            arrays.path,
            "encoder",
            f"shape {encoder.shape}",
            f"({count}, 2), row and column for each pattern",
            "export patterns and positions of one scan",
        )
    return encoder


def _orientation(arrays: NamedArrays, n: int) -> tuple[FrameView, list[str]]:
    """Return how patterns are turned: bit 4 transposes, then 2 flips rows and 1 columns."""
    code = number(arrays, "orientation")
    if not code:
        return FrameView((n, n)), []
    if code not in range(8):
        raise refusal(arrays.path, "orientation", f"{code:g}", "0 to 7", "correct or remove it")
    bits = int(code)
    view = FrameView(
        (n, n), transpose=bool(bits & 4), flip_rows=bool(bits & 2), flip_columns=bool(bits & 1)
    )
    return view, [f"Patterns were turned as orientation {bits} of the file says."]


def _turned_mask(marked: np.ndarray | None, view: FrameView) -> np.ndarray | None:
    return None if marked is None else view.apply(marked)


def write_ptylab(path: str | Path, scan: Scan) -> None:
    """Write a scan as PtyLab reads it, with probe, object and bad pixels beside.

    PtyLab wants a square object about the positions; here the encoder is about the middle of the
    canvas. A scan knows its pixel size but no detector: ``dxd`` is 75 um and ``zo`` follows.
    Where pixel size or wavelength are not known, nominal ones stand, and ``pixel_size_known`` or
    ``wavelength_known`` is False. Amplitudes are squared; bad pixels are 0.

    Raises:
        DataError: The truth has another shape than the canvas.
        OutputError: The file cannot be written.
    """
    image = np.ascontiguousarray(object_guess(scan))
    with written_hdf5(path) as file:
        write_counts(file, "ptychogram", scan)
        _write_small(file, scan)
        file.create_dataset("object", data=image, compression="lzf")


def _write_small(file: h5py.File, scan: Scan) -> None:
    metric = in_metres(scan)
    origin = np.array(scan.canvas_shape) // 2
    file["encoder"] = (scan.positions_px - origin) * metric.pixel_m
    file["wavelength"] = metric.wavelength_m
    file["dxd"] = metric.detector_pixel_m
    file["zo"] = metric.distance_m
    file["orientation"] = 0
    file["pixel_size_known"] = scan.pixel_size_m is not None
    file["wavelength_known"] = scan.wavelength_m is not None
    file["probe"] = scan.probe
    file["bad_pixels"] = ~scan.mask
