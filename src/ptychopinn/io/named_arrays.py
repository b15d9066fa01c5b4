"""Arrays and numbers by name, whether an NPZ or an HDF5 file holds them.

Several programs write the same names into both containers. What is an attribute in one file is a
dataset in another: a number is looked for as both.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np

from ptychopinn.io.archive import Archive
from ptychopinn.io.hdf5 import opened_hdf5
from ptychopinn.io.hdf5 import read_dataset as read_hdf5_dataset
from ptychopinn.io.memory import require_memory
from ptychopinn.io.refusal import container, missing, refusal
from ptychopinn.io.stored_patterns import StoredPatterns, stored_in_hdf5
from ptychopinn.scan import Patterns


class NamedArrays(Protocol):
    """What one file holds, by name; only what is asked for is read."""

    path: str | Path
    """The file, for messages."""

    def keys(self) -> list[str]:
        """Return the names of the arrays."""

    def __contains__(self, key: str) -> bool:
        """Tell whether there is an array of this name."""

    def header(self, key: str) -> tuple[tuple[int, ...], np.dtype]:
        """Return shape and type of an array; refuses a missing one."""

    def read(self, key: str, *, kinds: str, ranks: tuple[int, ...]) -> np.ndarray:
        """Return an array in memory; refuses other letters of type kinds and numbers of axes."""

    def patterns(self, key: str) -> Patterns:
        """Return patterns (K, N, N), on disk where they can stay there."""

    def scalar(self, key: str) -> Any:
        """Return a number or text that stands under a name, or nothing."""


class NpzArrays:
    """The arrays of an NPZ archive."""

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self._archive = Archive(path)

    def keys(self) -> list[str]:
        """Return the names of the arrays."""
        return self._archive.keys()

    def __contains__(self, key: str) -> bool:
        return key in self._archive

    def header(self, key: str) -> tuple[tuple[int, ...], np.dtype]:
        """Return shape and type of an array; refuses a missing one."""
        member = self._archive.member(key)
        return member.shape, member.dtype

    def read(self, key: str, *, kinds: str, ranks: tuple[int, ...]) -> np.ndarray:
        """Return an array in memory; refuses other letters of type kinds and numbers of axes."""
        shape, dtype = self.header(key)
        require_kind(self.path, key, shape, dtype, kinds=kinds, ranks=ranks)
        return self._archive.read(key)

    def patterns(self, key: str) -> Patterns:
        """Return patterns (K, N, N), on disk when they are stored uncompressed."""
        frames = self._archive.frames(key)
        if frames is not None:
            return StoredPatterns(self.path, [frames])
        return self._archive.read(key).reshape(-1, *self.header(key)[0][-2:])

    def scalar(self, key: str) -> Any:
        """Return a number or text that stands under a name, or nothing."""
        if key not in self or math.prod(self.header(key)[0]) != 1:
            return None
        return self._archive.read(key).reshape(())[()]


class Hdf5Arrays:
    """The datasets of the root group of an open HDF5 file, and its attributes.

    The attribute ``pixel_width_m`` of the dataset ``object`` is also known as
    ``object_pixel_width_m``.
    """

    def __init__(self, path: str | Path, file: h5py.File) -> None:
        self.path = path
        self._file = file

    def keys(self) -> list[str]:
        """Return the names of the datasets."""
        return [key for key, item in self._file.items() if isinstance(item, h5py.Dataset)]

    def __contains__(self, key: str) -> bool:
        return isinstance(self._file.get(key), h5py.Dataset)

    def header(self, key: str) -> tuple[tuple[int, ...], np.dtype]:
        """Return shape and type of a dataset; refuses a missing one."""
        dataset = self._dataset(key)
        return tuple(dataset.shape or ()), dataset.dtype

    def read(self, key: str, *, kinds: str, ranks: tuple[int, ...]) -> np.ndarray:
        """Return a dataset in memory; refuses other letters of type kinds and numbers of axes."""
        self._dataset(key)
        return read_hdf5_dataset(self._file, self.path, key, kinds=kinds, ranks=ranks)

    def patterns(self, key: str) -> Patterns:
        """Return patterns (K, N, N) that stay on disk."""
        return stored_in_hdf5(self.path, [self._dataset(key)])

    def scalar(self, key: str) -> Any:
        """Return a number or text that stands under a name, or nothing."""
        if key in self and math.prod(self.header(key)[0]) == 1:
            return (
                self._file[key][()].reshape(-1)[0] if self.header(key)[0] else self._file[key][()]
            )
        if key in self._file.attrs:
            return self._file.attrs[key]
        owner, _, name = key.partition("_")
        return self._file[owner].attrs.get(name) if owner in self else None

    def _dataset(self, key: str) -> h5py.Dataset:
        found = self._file.get(key)
        if not isinstance(found, h5py.Dataset):
            raise missing(self.path, key, self.keys())
        return found


@contextmanager
def opened_arrays(path: str | Path) -> Iterator[NamedArrays]:
    """Yield the arrays of an NPZ or HDF5 file; refuses another file, and a damaged one."""
    kind = container(path)
    if kind == "npz":
        yield NpzArrays(path)
    elif kind == "hdf5":
        with opened_hdf5(path) as file:
            yield Hdf5Arrays(path, file)
    else:
        raise refusal(path, "", "neither NPZ nor HDF5", "one of them", "name another file")


def require_kind(
    path: str | Path,
    key: str,
    shape: tuple[int, ...],
    dtype: np.dtype,
    *,
    kinds: str,
    ranks: tuple[int, ...],
) -> None:
    """Refuse an array with other letters of type kinds, another number of axes, or too large."""
    if len(shape) not in ranks or dtype.kind not in kinds:
        wanted = " or ".join(str(rank) for rank in ranks)
        raise refusal(
            path,
            key,
            f"shape {shape} of type {dtype}",
            f"{wanted} axes of {'complex' if kinds == 'c' else 'real'} numbers",
            "check which program wrote it",
        )
    nbytes = math.prod(shape) * dtype.itemsize
    require_memory(path, key, nbytes, "check the file, or use a machine with more memory")


def number(arrays: NamedArrays, key: str) -> float | None:
    """Return a finite number that stands under a name; None when there is none.

    Refuses what is not one finite number.
    """
    value = arrays.scalar(key)
    if value is None:
        return None
    if np.size(value) == 1 and np.asarray(value).dtype.kind in "iuf":
        plain = float(np.asarray(value).reshape(()))
        if math.isfinite(plain):
            return plain
    raise refusal(
        arrays.path, key, repr(value)[:40], "one finite number", "check which program wrote it"
    )


def positive(arrays: NamedArrays, *keys: str) -> float | None:
    """Return the first number above 0 that stands under one of these names, or nothing."""
    for key in keys:
        value = number(arrays, key)
        if value is not None and value > 0:
            return value
    return None
