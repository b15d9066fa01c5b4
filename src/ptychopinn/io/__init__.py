"""Files to scans, reconstructions to files; only here are keys and foreign frames known."""

from ptychopinn.io.atomic import replacing, staged_folder
from ptychopinn.io.bad_pixels import find_bad_pixels
from ptychopinn.io.file_map import NAMES as MAP_NAMES
from ptychopinn.io.hdf5_tree import Branch, hdf5_tree
from ptychopinn.io.npz_writer import write_scan_npz
from ptychopinn.io.probe_file import read_probe
from ptychopinn.io.product import read_product, write_product
from ptychopinn.io.ptychopinn_npz import read_scan_npz
from ptychopinn.io.reference import read_reference
from ptychopinn.io.registry import (
    contents,
    describe,
    known_formats,
    read_scan,
    recognise,
    register_format,
    writable_formats,
    write_scan,
)
from ptychopinn.io.scan_format import ScanFormat

__all__ = [
    "MAP_NAMES",
    "Branch",
    "ScanFormat",
    "contents",
    "describe",
    "find_bad_pixels",
    "hdf5_tree",
    "known_formats",
    "read_probe",
    "read_product",
    "read_reference",
    "read_scan",
    "read_scan_npz",
    "recognise",
    "register_format",
    "replacing",
    "staged_folder",
    "writable_formats",
    "write_product",
    "write_scan",
    "write_scan_npz",
]
