"""Prepared data of ptypy (``.ptyd``): chunks of frames that may lie in files of their own.

Energies are keV, everything else is SI. Frames are stored as they are used: cut and turned; the
positions are (row, column) of the probe on the object. Weights above 0 are good pixels. A value
that ptypy does not know is stored as a dataset whose attribute ``type`` is "None".
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io.file_map import FileMap, parse_map
from ptychopinn.io.geometry import Geometry, converted
from ptychopinn.io.hdf5 import opened_hdf5, read_dataset
from ptychopinn.io.hdf5_fields import read_columns, require_pairs
from ptychopinn.io.measurement import Measurement, Stage, as_scan
from ptychopinn.io.own_group import read_own_group, with_own_group
from ptychopinn.io.refusal import container, refusal
from ptychopinn.io.stored_patterns import stored_in_hdf5
from ptychopinn.scan import Scan


class _Meta(NamedTuple):
    """What ``meta`` says, in SI."""

    geometry: Geometry
    center: tuple[float, float] | None
    decisions: list[str]


def is_ptyd(path: str | Path) -> bool:
    """Tell whether a file is prepared data of ptypy: HDF5 with ``chunks`` and ``meta``."""
    if container(path) != "hdf5":
        return False
    with opened_hdf5(path) as file:
        return all(isinstance(file.get(name), h5py.Group) for name in ("chunks", "meta"))


def ptyd_files(path: Path) -> tuple[Path, ...]:
    """Return the file and those that its chunks are linked to."""
    with opened_hdf5(path) as file:
        links = (file["chunks"].get(name, getlink=True) for name in file["chunks"])
        parts = [link.filename for link in links if isinstance(link, h5py.ExternalLink)]
    return (path, *(path.parent / part for part in sorted(parts)))


def read_ptyd(path: str | Path, data: DataConfig) -> Scan:
    """Read prepared data of ptypy; its patterns stay on disk.

    Args:
        path: The file.
        data: `map` overrides energy, distance and pixel; the others what their help says.

    Raises:
        DataError: What `as_scan` refuses; a chunk, its positions, energy, distance or pixel size
            are missing or absurd.
    """
    said_map = parse_map(data.map)
    with opened_hdf5(path) as file:
        chunks = _chunks(file, path)
        patterns = stored_in_hdf5(path, [_member(path, chunk, "data") for chunk in chunks])
        positions = np.concatenate(
            [read_columns(chunk, path, _member(path, chunk, "positions").name) for chunk in chunks]
        )
        own = read_own_group(file, path, "info")
        meta = _meta(file, path, said_map, None if own is None else own.wavelength_m)
        marked, said = _marked(chunks, path, patterns.shape[1:])
        found = Measurement(
            path=path,
            patterns=patterns,
            patterns_key="chunks/*/data",
            stage=Stage(positions[:, :2], "chunks/*/positions", meta.geometry),
            center=meta.center,
            marked=marked,
            domain="counts",
            decisions=(*meta.decisions, *said),
        )
        found = with_own_group(found, own, said_map)
    require_pairs(path, "chunks/*/positions", len(patterns), len(positions))
    return as_scan(found, data)


def _chunks(file: h5py.File, path: str | Path) -> list[h5py.Group]:
    """Return all chunks in their order; refuses one whose file is missing."""
    group = file["chunks"]
    names = sorted(group, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0))
    made = []
    for name in names:
        link = group.get(name, getlink=True)
        chunk = group.get(name)
        if isinstance(chunk, h5py.Group):
            made.append(chunk)
            continue
        where = link.filename if isinstance(link, h5py.ExternalLink) else "this file"
        raise refusal(
            path, f"chunks/{name}", "nothing", f"the chunk, which lies in {where}",
            "put that file beside this one",
        )  # fmt: skip
    if made:
        return made
    raise refusal(path, "chunks", "no chunk", "at least one", "prepare the data again")


def _member(path: str | Path, chunk: h5py.Group, name: str) -> h5py.Dataset:
    item = chunk.get(name)
    if isinstance(item, h5py.Dataset) and not _is_none(item):
        return item
    raise refusal(path, f"{chunk.name}/{name}", "nothing", "a dataset", "prepare the data again")


def _is_none(item: h5py.Dataset) -> bool:
    return item.attrs.get("type") in ("None", b"None")


def _numbers(file: h5py.File, path: str | Path, name: str) -> np.ndarray | None:
    """Return one or two numbers of ``meta``; None where ptypy has none or a word."""
    item = file["meta"].get(name)
    if not isinstance(item, h5py.Dataset) or _is_none(item) or item.dtype.kind not in "iuf":
        return None
    values = read_dataset(file, path, f"meta/{name}", kinds="iuf", ranks=(0, 1)).astype(float)
    values = np.atleast_1d(values)
    return values if values.size in (1, 2) and np.isfinite(values).all() else None


def _meta(
    file: h5py.File, path: str | Path, said_map: FileMap, wavelength_m: float | None
) -> _Meta:
    said: list[str] = []

    def length(name: str, what: str, usual: str) -> list[float] | None:
        values = None if said_map.number(what) is not None else _numbers(file, path, name)
        if values is None:
            return None
        made = [converted(path, f"meta/{name}", what, float(v), None, usual) for v in values]
        said.extend(made[0][1])
        return [value for value, _ in made]

    wavelength_m = said_map.wavelength_m or wavelength_m
    if wavelength_m is None:
        energy = length("energy", "energy", "keV")
        wavelength_m = said_map.of_energy(energy[0]) if energy else None
    distance = length("distance", "distance", "m")
    pixel = length("psize", "pixel", "m")
    center = _numbers(file, path, "center")
    of_file = Geometry(
        wavelength_m,
        distance[0] if distance else None,
        (pixel[0], pixel[-1]) if pixel else None,
    )
    where = (float(center[0]), float(center[-1])) if center is not None else None
    return _Meta(said_map.geometry(of_file), where, said)


def _marked(
    chunks: Sequence[h5py.Group], path: str | Path, shape: tuple[int, ...]
) -> tuple[np.ndarray | None, list[str]]:
    """Return True = bad where a weight is 0 in any frame, and a sentence when frames differ."""
    marked, differ = np.zeros(shape, dtype=bool), False
    for chunk in chunks:
        weights = chunk.get("weights")
        if not isinstance(weights, h5py.Dataset) or weights.shape[-2:] != tuple(shape):
            continue
        if weights.ndim == 2:
            marked |= ~(weights[()] > 0)
            continue
        for block in stored_in_hdf5(path, [weights]):
            bad = ~(block > 0)
            differ = differ or bool(marked.any() and (bad != marked).any())
            marked |= bad
    if not marked.any():
        return None, []
    said = "Weights differ from frame to frame; pixels that are 0 in any are left out in all."
    return marked, [said] if differ else []
