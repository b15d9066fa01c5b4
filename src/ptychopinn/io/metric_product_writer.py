"""Scans written as two files: counts in one, a product in metres in the other."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ptychopinn.io.atomic import staged_folder
from ptychopinn.io.count_blocks import write_counts
from ptychopinn.io.hdf5_writing import written_hdf5
from ptychopinn.io.metric_scan import NOMINAL_DETECTOR_PIXEL_M, in_metres
from ptychopinn.io.npz_writer import object_guess
from ptychopinn.io.product import fill_product
from ptychopinn.scan import Reconstruction, Scan


def write_pair(
    patterns_path: Path,
    product_path: Path,
    scan: Scan,
    write_patterns: Callable[[Path, Scan], None],
) -> None:
    """Write both halves of a scan, or none.

    Raises:
        DataError: The truth has another shape than the canvas.
        OutputError: A file cannot be written.
    """
    with staged_folder(patterns_path.parent) as folder:
        write_patterns(folder / patterns_path.name, scan)
        with written_hdf5(folder / product_path.name) as file:
            fill_product(file, _as_reconstruction(scan))
            file.attrs["detector_object_distance_m"] = detector_distance_m(scan)
            file.attrs["comments"] = "Written by ptychopinn from a scan."


def write_numbered_patterns(path: Path, scan: Scan) -> None:
    """Write counts as Ptychodus has them: patterns, their numbers and bad pixels."""
    with written_hdf5(path) as file:
        patterns = write_counts(file, "patterns", scan)
        for axis in ("height", "width"):
            patterns.attrs[f"detector_pixel_{axis}_m"] = NOMINAL_DETECTOR_PIXEL_M
        file.create_dataset("indexes", data=np.arange(scan.n_patterns), compression="lzf")
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
