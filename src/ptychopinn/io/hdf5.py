"""HDF5 files opened and read with every claim checked, and every failure said in one sentence."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401  (makes the compression filters of detectors known)
import numpy as np

from ptychopinn.errors import PtychoError
from ptychopinn.io.hdf5_trial import require_harmless
from ptychopinn.io.memory import require_memory
from ptychopinn.io.refusal import (
    bytes_in_words,
    missing,
    refusal,
    require_file,
    said_briefly,
)

#: A dataset of this size may be all fill value: masks and flags are.
_SMALL_BYTES = 2**24
#: No detector's data compress further than this; empty frames come near it.
_LARGEST_RATIO = 2_000


@contextmanager
def opened_hdf5(path: str | Path) -> Iterator[h5py.File]:
    """Yield an HDF5 file opened for reading.

    Refuses what is missing, not HDF5, truncated, turns out to be damaged while it is read, or keeps
    the library forever (see `hdf5_trial`).
    """
    require_file(path)
    require_harmless(path)
    with damage_refused(path), h5py.File(path, "r") as file:
        yield file


@contextmanager
def damage_refused(path: str | Path, kind: str = "HDF5 file") -> Iterator[None]:
    """Turn every failure of reading into the one sentence that names the file.

    Args:
        path: The file.
        kind: What it is, for the sentence.
    """
    try:
        yield
    except PtychoError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, EOFError) as error:
        raise refusal(
            path,
            "",
            f"something that cannot be read ({said_briefly(error)})",
            f"an intact {kind}",
            "copy or make the file again",
        ) from error


def objects_in(group: h5py.Group) -> Iterator[tuple[str, h5py.HLObject]]:
    """Yield path and object of everything below a group, by hard links, each object once.

    The visitor of HDF5 itself never comes back from some damaged files.
    """
    yield from _below(group, "", {address_of(group)})


def _below(group: h5py.Group, path: str, seen: set[int]) -> Iterator[tuple[str, h5py.HLObject]]:
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        item = group[name]
        if address_of(item) in seen:
            continue
        seen.add(address_of(item))
        yield f"{path}{name}", item
        if isinstance(item, h5py.Group):
            yield from _below(item, f"{path}{name}/", seen)


def address_of(item: h5py.HLObject) -> int:
    """Return what tells an object of a file from every other, by whatever path it is reached."""
    return int(h5py.h5o.get_info(item.id).addr)


def require_dataset(file: h5py.File, path: str | Path, key: str) -> h5py.Dataset:
    """Return a dataset of the root group without reading it; refuses a missing one."""
    found = file.get(key)
    if not isinstance(found, h5py.Dataset):
        raise missing(path, key, file)
    return found


def read_dataset(
    file: h5py.File, path: str | Path, key: str, *, kinds: str, ranks: tuple[int, ...]
) -> np.ndarray:
    """Read a dataset of the root group after its type, rank and size were found to be sane.

    Args:
        file: The open file.
        path: Its path, for messages.
        key: Name of the dataset.
        kinds: Letters of NumPy type kinds that are accepted.
        ranks: Numbers of axes that are accepted.
    """
    dataset = require_dataset(file, path, key)
    if dataset.shape is None or len(dataset.shape) not in ranks or dataset.dtype.kind not in kinds:
        wanted = " or ".join(str(rank) for rank in ranks)
        kind = "complex" if kinds == "c" else "real"
        raise refusal(
            path,
            key,
            f"shape {dataset.shape} of type {dataset.dtype}",
            f"{wanted} axes of {kind} numbers",
            "check which program wrote it",
        )
    require_honest_size(path, dataset)
    nbytes = math.prod(dataset.shape) * dataset.dtype.itemsize
    require_memory(path, key, nbytes, "check the file, or use a machine with more memory")
    return np.asarray(dataset[()])


def require_readable(path: str | Path, dataset: h5py.Dataset) -> None:
    """Refuse a dataset that was never written, lacks a source or a filter, or is no numbers."""
    key, dtype = str(dataset.name), dataset.dtype
    if dtype.kind not in "biufc":
        raise refusal(path, key, f"elements of type {dtype}", "numbers", "name another dataset")
    for number, name in _filters(dataset):
        if not h5py.h5z.filter_avail(number):
            raise refusal(
                path,
                key,
                f"data compressed with the HDF5 filter {number} ({name or 'no name'})",
                "a filter that is installed",
                "update the package hdf5plugin, or install the plugin of the detector's maker",
            )
    require_honest_size(path, dataset)
    if dataset.is_virtual:
        _require_virtual_sources(path, dataset)
    elif dataset.size and not dataset.id.get_storage_size() and not dataset.external:
        raise refusal(
            path, key, "a dataset that was never written", "data", "copy or make the file again"
        )


def require_honest_size(path: str | Path, dataset: h5py.Dataset) -> None:
    """Refuse a large dataset of which hardly anything is in the file, before it is allocated.

    HDF5 fills up what was never written, so that some bytes can claim a terabyte.
    """
    claimed = dataset.nbytes
    held = min(dataset.id.get_storage_size(), Path(dataset.file.filename).stat().st_size)
    elsewhere = dataset.is_virtual or dataset.external
    if elsewhere or claimed <= _SMALL_BYTES or claimed <= held * _LARGEST_RATIO:
        return
    raise refusal(
        path,
        str(dataset.name),
        f"a claim of {bytes_in_words(claimed)} with {bytes_in_words(held)} of data",
        "a dataset that was written",
        "copy or make the file again",
    )


def filter_names(dataset: h5py.Dataset) -> list[str]:
    """Return the names of the filters that a dataset goes through, or their numbers."""
    return [name.partition(";")[0] or f"filter {number}" for number, name in _filters(dataset)]


def _filters(dataset: h5py.Dataset) -> list[tuple[int, str]]:
    """Return number and name of the filters that a dataset goes through."""
    made = dataset.id.get_create_plist()
    found = [made.get_filter(index) for index in range(made.get_nfilters())]
    return [(code, bytes(name).decode("ascii", "replace").strip("\0")) for code, *_, name in found]


def _require_virtual_sources(path: str | Path, dataset: h5py.Dataset) -> None:
    """Refuse a virtual dataset whose files are missing, for HDF5 would fill it up with zeros."""
    folder = Path(dataset.file.filename).parent
    for source in dataset.virtual_sources():
        place = folder / source.file_name
        if source.file_name != "." and not place.exists() and "%" not in source.file_name:
            raise refusal(
                path,
                str(dataset.name),
                f"no file {source.file_name}, which holds a part of it",
                "it beside this file",
                "copy it there",
            )


def describe_hdf5(path: str | Path) -> list[tuple[str, tuple[int, ...], str]]:
    """Return path, shape and type of every dataset of an HDF5 file without reading any."""
    with opened_hdf5(path) as file:
        return [
            (name, item.shape or (), str(item.dtype))
            for name, item in objects_in(file)
            if isinstance(item, h5py.Dataset)
        ]
