"""HDF5 files opened and read with every claim checked, and every failure said in one sentence."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from ptychopinn.errors import DataError
from ptychopinn.io.memory import require_memory
from ptychopinn.io.refusal import missing, refusal, require_file, said_briefly


@contextmanager
def opened_hdf5(path: str | Path) -> Iterator[h5py.File]:
    """Yield an HDF5 file opened for reading.

    Refuses what is missing, not HDF5, truncated, or turns out to be damaged while it is read.
    """
    require_file(path)
    with _damage_refused(path), h5py.File(path, "r") as file:
        yield file


@contextmanager
def _damage_refused(path: str | Path) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise refusal(
            path,
            "",
            f"something that HDF5 cannot read ({said_briefly(error)})",
            "an intact HDF5 file",
            "copy or make the file again",
        ) from error


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
    nbytes = math.prod(dataset.shape) * dataset.dtype.itemsize
    require_memory(path, key, nbytes, "check the file, or use a machine with more memory")
    return np.asarray(dataset[()])


def describe_hdf5(path: str | Path) -> list[tuple[str, tuple[int, ...], str]]:
    """Return path, shape and type of every dataset of an HDF5 file without reading any."""
    rows: list[tuple[str, tuple[int, ...], str]] = []

    def note(name: str, item: h5py.HLObject) -> None:
        if isinstance(item, h5py.Dataset):
            rows.append((name, item.shape or (), str(item.dtype)))

    with opened_hdf5(path) as file:
        file.visititems(note)
    return rows
