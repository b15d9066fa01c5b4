"""Patterns as photon counts, block by block, for formats that know nothing else."""

from collections.abc import Iterator

import h5py
import numpy as np

from ptychopinn.io.hdf5_writing import require_disk
from ptychopinn.scan import Scan, pattern_blocks

#: Integers that hold counts, the smallest first.
_INTEGERS = tuple(np.dtype(name) for name in ("uint16", "uint32"))


def as_counts(block: np.ndarray, scan: Scan) -> np.ndarray:
    """Return a block of the patterns of a scan as counts, with bad pixels 0.

    Integers stay integers; amplitudes are squared as float32.
    """
    if scan.domain == "amplitude":
        block = block.astype(np.float32)
        block = block * block
    return block if scan.mask.all() else np.where(scan.mask, block, block.dtype.type(0))


def count_blocks(scan: Scan) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield blocks of counts that follow each other, with their place."""
    for place, block in pattern_blocks(scan.patterns):
        yield place, as_counts(block, scan)


def count_type(scan: Scan) -> np.dtype:
    """Return the type in which counts are written: as stored, floats that are whole as integers."""
    stored = scan.patterns.dtype
    if scan.domain == "counts" and stored.kind in "iu":
        return stored
    left = [stored] if scan.domain == "counts" else [np.dtype(np.float32)]
    if scan.domain == "amplitude":
        return left[0]
    fitting = list(_INTEGERS)
    for _, block in count_blocks(scan):
        fitting = [dtype for dtype in fitting if _holds(dtype, block)]
        if not fitting:
            return left[0]
    return fitting[0]


def write_counts(file: h5py.Group, key: str, scan: Scan) -> h5py.Dataset:
    """Write the patterns of a scan as a dataset of counts (K, N, N), compressed, in pieces."""
    n = scan.n
    dataset = file.create_dataset(
        key,
        shape=(scan.n_patterns, n, n),
        dtype=count_type(scan),
        chunks=(1, n, n),
        compression="lzf",
        shuffle=True,
    )
    for place, block in count_blocks(scan):
        dataset[place] = block
        require_disk(dataset)
    return dataset


def _holds(dtype: np.dtype, block: np.ndarray) -> bool:
    with np.errstate(invalid="ignore", over="ignore"):
        return bool(np.array_equal(block.astype(dtype), block))
