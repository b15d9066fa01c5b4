"""Where detector frames lie on disk: in one piece of a file, or in a dataset of an HDF5 file."""

import math
import os
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np

from ptychopinn.io.refusal import refusal

#: Files that are held open at a time.
_MOST_OPEN = 16
#: Bounds of the cache for decompressed chunks of a file, in bytes.
_LEAST_CACHE, _MOST_CACHE = 2**20, 2**28

Window = tuple[slice, slice]


class OpenFiles:
    """Files that one process holds open, the last used ones, until nobody needs them.

    An open file stays what it was when another is moved into its place.
    """

    def __init__(self) -> None:
        self.process = os.getpid()
        self._open: OrderedDict[str, Any] = OrderedDict()
        # Patterns are dropped whenever the last who reads them is; files must not wait for that.
        weakref.finalize(self, _close_all, self._open)

    def raw(self, path: str) -> RawIOBase:
        """Return a file of plain bytes."""
        return self._kept(path, lambda: Path(path).open("rb", buffering=0))

    def dataset(self, path: str, key: str, chunk_bytes: int) -> h5py.Dataset:
        """Return a dataset of an HDF5 file."""
        cache = min(max(_LEAST_CACHE, 4 * chunk_bytes), _MOST_CACHE)
        return self._kept(path, lambda: h5py.File(path, "r", rdcc_nbytes=cache))[key]

    def _kept(self, path: str, opened: Callable[[], Any]) -> Any:
        """Return an open file; it stays open until others push it out."""
        if path not in self._open:
            while len(self._open) >= _MOST_OPEN:
                self._open.popitem(last=False)[1].close()
            self._open[path] = opened()
        self._open.move_to_end(path)
        return self._open[path]


def _close_all(files: OrderedDict[str, Any]) -> None:
    while files:
        files.popitem()[1].close()


class FrameSource(Protocol):
    """Consecutive frames (frames, rows, columns) on disk; a record that can be pickled."""

    @property
    def frames(self) -> int:
        """Number of frames."""

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Rows and columns of a frame."""

    @property
    def dtype(self) -> np.dtype:
        """Type of a pixel, in the byte order of the file."""

    @property
    def together(self) -> int:
        """Frames that are read together at no more cost than one."""

    def read(self, start: int, stop: int, window: Window, files: OpenFiles) -> np.ndarray:
        """Return rows and columns of the frames from start up to stop, in memory."""


@dataclass(frozen=True)
class RawFrames:
    """Frames that lie uncompressed in a file, each the same number of bytes after the last."""

    path: str
    """The file."""
    frames: int
    """Number of frames."""
    frame_shape: tuple[int, int]
    """Rows and columns of a frame."""
    dtype: np.dtype
    """Type of a pixel, in the byte order of the file."""
    offset: int = 0
    """Byte at which the first frame begins."""
    gap_bytes: int = 0
    """Bytes after each frame that are no pixels, as EMPAD detectors write them."""
    together: int = 1

    @property
    def _frame_bytes(self) -> int:
        return math.prod(self.frame_shape) * self.dtype.itemsize

    def read(self, start: int, stop: int, window: Window, files: OpenFiles) -> np.ndarray:
        """Return rows and columns of the frames from start up to stop, in memory.

        Raises:
            EOFError: The file ends before the last of them.
        """
        stride = self._frame_bytes + self.gap_bytes
        wanted = (stop - start) * stride - self.gap_bytes
        buffer = np.zeros((stop - start) * stride, np.uint8)
        file = files.raw(self.path)
        file.seek(self.offset + start * stride)
        _fill(buffer[:wanted], file)
        pixels = buffer.reshape(stop - start, stride)[:, : self._frame_bytes]
        return pixels.view(self.dtype).reshape(-1, *self.frame_shape)[:, window[0], window[1]]


def _fill(buffer: np.ndarray, file: RawIOBase) -> None:
    position = 0
    while position < len(buffer):
        count = file.readinto(buffer.data[position:])
        if not count:
            raise EOFError("the data end early")
        position += count


@dataclass(frozen=True)
class Hdf5Frames:
    """Frames on the last three axes of a dataset, at one index of the axes before those."""

    path: str
    """The file that really holds it."""
    key: str
    """Path of the dataset inside."""
    lead: tuple[int, ...]
    """Index on the axes before the last three; empty for three axes."""
    frames: int
    """Number of frames."""
    frame_shape: tuple[int, int]
    """Rows and columns of a frame."""
    dtype: np.dtype
    """Type of a pixel, in the byte order of the file."""
    together: int = 1
    """Frames that are compressed together."""
    chunk_bytes: int = 0
    """Bytes of a chunk, decompressed; 0 without chunks."""

    def read(self, start: int, stop: int, window: Window, files: OpenFiles) -> np.ndarray:
        """Return rows and columns of the frames from start up to stop, in memory."""
        dataset = files.dataset(self.path, self.key, self.chunk_bytes)
        return dataset[(*self.lead, slice(start, stop), *window)]


def hdf5_sources(path: str | Path, dataset: h5py.Dataset) -> list[Hdf5Frames]:
    """Return the frames of an open dataset of three or four axes (slow, fast, row, column).

    Args:
        path: The file that the user named, for messages; the dataset may lie in another that it
            links to, or be virtual.
        dataset: With frames on its last two axes.

    Raises:
        DataError: It has other axes.
    """
    if dataset.shape is None or dataset.ndim not in (3, 4):
        raise refusal(
            path,
            str(dataset.name),
            f"shape {dataset.shape}",
            "patterns (n, y, x) or (slow, fast, y, x)",
            "name the dataset that holds the measured patterns",
        )
    chunks = dataset.chunks
    return [
        Hdf5Frames(
            path=str(dataset.file.filename),
            key=str(dataset.name),
            lead=lead,
            frames=int(dataset.shape[-3]),
            frame_shape=(int(dataset.shape[-2]), int(dataset.shape[-1])),
            dtype=dataset.dtype,
            together=chunks[-3] if chunks else 1,
            chunk_bytes=math.prod(chunks) * dataset.dtype.itemsize if chunks else 0,
        )
        for lead in np.ndindex(*dataset.shape[:-3])
    ]
