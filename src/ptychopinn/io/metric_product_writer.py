"""Scans written as two files: counts in one, a product in metres in the other."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from ptychopinn.io.atomic import staged_folder
from ptychopinn.io.count_blocks import as_counts, count_type, write_counts
from ptychopinn.io.hdf5_writing import written_hdf5
from ptychopinn.io.metric_scan import in_metres
from ptychopinn.io.npz_writer import object_guess, write_array
from ptychopinn.io.product import fill_product
from ptychopinn.scan import Reconstruction, Scan


def write_pair(
    patterns_path: Path,
    product_path: Path,
    scan: Scan,
    write_patterns: Callable[[Path, Scan], None],
) -> None:
    """Write both halves of a scan, or none; a product whose name ends with ``.npz`` is an NPZ.

    Raises:
        DataError: The truth has another shape than the canvas.
        OutputError: A file cannot be written.
    """
    with staged_folder(patterns_path.parent) as folder:
        write_patterns(folder / patterns_path.name, scan)
        place = folder / product_path.name
        if is_npz_name(place):
            _write_npz_product(place, scan)
        else:
            with written_hdf5(place) as file:
                _fill(file, scan)


def is_npz_name(path: Path) -> bool:
    """Tell whether the name of a file to write asks for an NPZ."""
    return path.suffix.casefold() == ".npz"


def _fill(file: h5py.File, scan: Scan) -> None:
    """Write the product of a scan into an empty file that is open."""
    fill_product(file, _as_reconstruction(scan))
    file.attrs["detector_object_distance_m"] = detector_distance_m(scan)
    file.attrs["comments"] = "Written by ptychopinn from a scan."
    if scan.wavelength_m is not None:
        # The energy is that of photons, which electrons and light are not known by.
        file.attrs["wavelength_m"] = scan.wavelength_m


def _write_npz_product(path: Path, scan: Scan) -> None:
    """Write a product as Ptychodus names it in an NPZ: what is an attribute is an array there."""
    memory = h5py.File(path.name, "w", driver="core", backing_store=False)
    with memory as file, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        _fill(file, scan)
        arrays = {key: np.asarray(value) for key, value in file.attrs.items()}
        for key, item in file.items():
            arrays.update({f"{key}_{name}": np.asarray(v) for name, v in item.attrs.items()})
        for key, array in arrays.items():
            write_array(archive, key, array, array.dtype)
        for key, item in file.items():
            write_array(archive, key, item[()], item.dtype)


def write_numbered_patterns(path: Path, scan: Scan) -> None:
    """Write counts as Ptychodus has them: patterns, their numbers and bad pixels."""
    numbers = np.arange(scan.n_patterns)
    if is_npz_name(path):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            write_array(
                *(archive, "patterns", scan.patterns, count_type(scan)),
                lambda block: as_counts(block, scan),
            )
            write_array(archive, "indexes", numbers, numbers.dtype)
            write_array(archive, "bad_pixels", ~scan.mask, np.dtype(bool))
        return
    with written_hdf5(path) as file:
        patterns = write_counts(file, "patterns", scan)
        for axis in ("height", "width"):
            patterns.attrs[f"detector_pixel_{axis}_m"] = in_metres(scan).detector_pixel_m
        file.create_dataset("indexes", data=numbers, compression="lzf")
        file.create_dataset("bad_pixels", data=~scan.mask, compression="lzf")


def write_plain_patterns(path: Path, scan: Scan) -> None:
    """Write counts under ``dp``, and bad pixels, which this package alone looks for."""
    with written_hdf5(path) as file:
        write_counts(file, "dp", scan)
        file.create_dataset("bad_pixels", data=~scan.mask, compression="lzf")


def detector_distance_m(scan: Scan) -> float:
    """Return the distance at which the nominal detector has the pixels of a scan; 0 = not known.

    z = dx * N * detector_pixel / wavelength
    """
    if scan.pixel_size_m is None or scan.wavelength_m is None:
        return 0.0
    return in_metres(scan).distance_m


def _as_reconstruction(scan: Scan) -> Reconstruction:
    return Reconstruction(
        object=np.ascontiguousarray(object_guess(scan)),
        coverage=np.zeros(scan.canvas_shape, np.float32),
        probe=scan.probe,
        positions_px=np.asarray(scan.positions_px, np.float64),
        losses=np.empty(0),
        pixel_size_m=scan.pixel_size_m,
        wavelength_m=scan.wavelength_m,
        provenance={"scan": scan.name},
    )
