"""What HDF5 formats of others have no place for, in a group of our own that they pass over."""

from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np

from ptychopinn.io.file_map import FileMap, require_measured
from ptychopinn.io.hdf5 import read_dataset
from ptychopinn.io.measurement_record import Measurement
from ptychopinn.io.metric_scan import MetricScan
from ptychopinn.io.npz_writer import object_guess
from ptychopinn.scan import Scan

NAME = "ptychopinn"


@dataclass(frozen=True)
class OwnGroup:
    """Probe, canvas and what is nominal, as this package wrote it beside a foreign layout."""

    origin_px: tuple[float, float]
    """Canvas pixel (y, x) of the position 0 m."""
    canvas_shape: tuple[int, int]
    """(H, W) of the canvas."""
    probe: np.ndarray
    """(P, N, N) complex."""
    truth: np.ndarray | None
    """(H, W) complex object, when it was known."""
    pixel_size_known: bool
    """False: the lengths of the file are nominal."""
    wavelength_known: bool
    """False: the energy of the file is nominal."""
    wavelength_m: float
    """What the energy of the file stands for, be it of photons or of electrons."""


def write_own_group(parent: h5py.Group, scan: Scan, metric: MetricScan) -> None:
    """Write what `read_own_group` reads; refuses a truth of another shape than the canvas."""
    group = parent.create_group(NAME)
    group.attrs["origin_px"] = metric.origin_px
    group.attrs["wavelength_m"] = metric.wavelength_m
    group.attrs["canvas_shape"] = scan.canvas_shape
    group.attrs["pixel_size_known"] = scan.pixel_size_m is not None
    group.attrs["wavelength_known"] = scan.wavelength_m is not None
    group["probe"] = scan.probe
    if scan.truth is not None:
        group.create_dataset("truth", data=object_guess(scan), compression="lzf")


def read_own_group(file: h5py.File, path: str | Path, parent: str) -> OwnGroup | None:
    """Return our own group below a group of a file; None in a file of another program."""
    place = f"{parent}/{NAME}"
    group = file.get(place)
    if not isinstance(group, h5py.Group) or "origin_px" not in group.attrs:
        return None
    y, x = (float(value) for value in group.attrs["origin_px"])
    height, width = (int(value) for value in group.attrs["canvas_shape"])
    truth = None
    if "truth" in group:
        truth = read_dataset(file, path, f"{place}/truth", kinds="c", ranks=(2,))
    return OwnGroup(
        origin_px=(y, x),
        canvas_shape=(height, width),
        probe=read_dataset(file, path, f"{place}/probe", kinds="c", ranks=(3,)),
        truth=None if truth is None else truth.astype(np.complex64),
        pixel_size_known=bool(group.attrs["pixel_size_known"]),
        wavelength_known=bool(group.attrs["wavelength_known"]),
        wavelength_m=float(group.attrs["wavelength_m"]),
    )


def with_own_group(found: Measurement, own: OwnGroup | None, said: FileMap) -> Measurement:
    """Return what a reader found with what our own group adds; as it is without one.

    Where ``--map`` makes other pixels, neither canvas nor truth are of them.

    Raises:
        ConfigError: ``--map`` says lengths, and those of the file are nominal.
    """
    if own is None or found.stage is None:
        return found
    known = own.pixel_size_known and own.wavelength_known
    require_measured(said, found.path, known=known)
    key = f"{NAME}/probe"
    if said.changes_pixels:
        aside = "The object and its canvas are set aside because --map gives other pixels."
        decisions = (*found.decisions, aside)
        return replace(found, probe=own.probe, probe_key=key, decisions=decisions)
    stage = replace(
        found.stage,
        origin_px=own.origin_px,
        canvas_shape=own.canvas_shape,
        pixel_known=own.pixel_size_known,
        wavelength_known=own.wavelength_known,
    )
    return replace(found, stage=stage, probe=own.probe, probe_key=key, truth=own.truth)
