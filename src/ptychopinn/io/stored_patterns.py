"""Patterns that stay on disk and are read, turned and cut when they are indexed."""

import math
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np

from ptychopinn.io.frame_source import FrameSource, Hdf5Frames, OpenFiles, hdf5_sources
from ptychopinn.io.frame_view import FrameView
from ptychopinn.io.hdf5 import damage_refused, require_readable
from ptychopinn.io.memory import require_memory
from ptychopinn.io.refusal import refusal
from ptychopinn.scan import Patterns, pattern_blocks

#: Most bytes that are read of a file at a time, one frame or chunk excepted.
_READ_BYTES = 2**26


class StoredPatterns:
    """Patterns (K, N, N) on disk; every index gives an array in memory.

    The first axis takes an integer, a slice, booleans, or integers in any order with repeats; the
    other two take slices. Frames are read in the order of the file, and chunks that hold several
    frames once. A copy in another process (pickled or forked) opens the files for itself; several
    threads may read, one at a time. Nothing but the block that is asked for is kept in memory.

    Args:
        path: The file that the user named, for messages.
        sources: Where the frames are, one after the other; all of the same shape and type.
        views: How frames become patterns, applied one after the other; none = as they are.
        chosen: (K,) frames that are patterns, counted through all sources; None = all.
        clipped: Negative values become 0.

    Raises:
        DataError: Sources differ. When it is indexed: the file is damaged.

    Tested: tests/io/test_stored_patterns.py.
    """

    ndim = 3

    def __init__(
        self,
        path: str | Path,
        sources: Sequence[FrameSource],
        views: Sequence[FrameView] = (),
        chosen: np.ndarray | None = None,
        *,
        clipped: bool = False,
    ) -> None:
        self.path = str(path)
        self.sources = tuple(sources)
        self.views = tuple(views) or (FrameView(self.sources[0].frame_shape),)
        self.dtype = self.sources[0].dtype.newbyteorder("=")
        self.clipped = clipped
        self._starts = np.cumsum([0, *(source.frames for source in self.sources)])
        self._chosen = np.arange(self._starts[-1]) if chosen is None else chosen
        self._require_same()
        self._start_reading()

    def _require_same(self) -> None:
        first = self.sources[0]
        for source in self.sources:
            if (source.frame_shape, source.dtype) != (first.frame_shape, first.dtype):
                raise refusal(
                    self.path,
                    str(getattr(source, "key", "")),
                    f"frames of {source.frame_shape} {source.dtype}",
                    f"{first.frame_shape} {first.dtype}, as in the first part",
                    "name one dataset of patterns",
                )

    def _start_reading(self) -> None:
        self._files, self._lock = OpenFiles(), threading.Lock()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(K, N, N), or (K, rows, columns) before frames were cut."""
        return (len(self._chosen), *self.views[-1].pattern_shape)

    @property
    def nbytes(self) -> int:
        """Bytes that all patterns would take in memory."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def frames(self) -> np.ndarray:
        """(K,) numbers of the patterns among the stored frames."""
        return self._chosen

    def __len__(self) -> int:
        """Return K."""
        return len(self._chosen)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield one pattern after the other, read in blocks."""
        for _, block in pattern_blocks(self):
            yield from block

    def select(self, indices: np.ndarray) -> Self:
        """Return these patterns, in this order, still on disk."""
        return self._changed(chosen=self._chosen[np.asarray(indices)])

    def viewed(self, view: FrameView) -> Self:
        """Return the patterns turned and cut once more, still on disk."""
        last = self.views[-1]
        turns = view.corner or view.transpose or view.flip_rows or view.flip_columns
        if not turns and view.window is not None:
            return self._changed(views=(*self.views[:-1], last.cut(*view.window)))
        return self._changed(views=(*self.views, view))

    def without_negatives(self) -> Self:
        """Return the patterns with 0 in place of negative values, still on disk."""
        return self._changed(clipped=True)

    def _changed(
        self,
        *,
        views: tuple[FrameView, ...] | None = None,
        chosen: np.ndarray | None = None,
        clipped: bool = False,
    ) -> Self:
        return type(self)(
            self.path,
            self.sources,
            self.views if views is None else views,
            self._chosen if chosen is None else chosen,
            clipped=self.clipped or clipped,
        )

    def __getitem__(self, key: Any) -> np.ndarray:
        """Read patterns; a block in memory."""
        first, *rest = key if isinstance(key, tuple) else (key,)
        frames = self._chosen[first]
        block = self._read(np.ravel(frames)).reshape(*np.shape(frames), *self.shape[1:])
        return block[(*(slice(None),) * np.ndim(frames), *rest)] if rest else block

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Read all; refuses more than there is memory."""
        if copy is False:
            raise ValueError("patterns on disk cannot become an array without being read.")
        require_memory(self.path, "", self.nbytes, "read a part of the patterns")
        return self[:].astype(dtype or self.dtype, copy=False)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out open files and the lock."""
        return {key: value for key, value in vars(self).items() if key not in ("_files", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open files anew."""
        vars(self).update(state)
        self._start_reading()

    def _read(self, frames: np.ndarray) -> np.ndarray:
        """Return frames, in any order and with repeats, as patterns."""
        order = np.argsort(frames, kind="stable")
        ordered = frames[order]
        read = np.empty((len(frames), *self.shape[1:]), self.dtype)
        if self._files.process != os.getpid():
            self._start_reading()
        with self._lock, damage_refused(self.path, self._kind):
            for source, start, first, last in self._runs(ordered):
                stop = int(ordered[last - 1]) - start + 1
                begin = int(ordered[first]) - start
                block = self._block(source, begin, stop)
                read[order[first:last]] = block[ordered[first:last] - start - begin]
        return read

    def _runs(self, ordered: np.ndarray) -> Iterator[tuple[FrameSource, int, int, int]]:
        """Cut sorted frames into runs that are read at once: source, its start, first, last."""
        if not len(ordered):
            return
        owner = np.searchsorted(self._starts, ordered, side="right") - 1
        first = 0
        for place in range(1, len(ordered) + 1):
            source = self.sources[owner[first]]
            most = max(source.together, _READ_BYTES // max(1, self._frame_bytes))
            goes_on = (
                place < len(ordered)
                and owner[place] == owner[first]
                and ordered[place] - ordered[place - 1] <= source.together
                and ordered[place] - ordered[first] < most
            )
            if not goes_on:
                yield source, int(self._starts[owner[first]]), first, place
                first = place

    @property
    def _kind(self) -> str:
        """What the file is, for messages."""
        in_hdf5 = isinstance(self.sources[0], Hdf5Frames)
        return "HDF5 file" if in_hdf5 else f"{Path(self.path).suffix[1:].upper() or 'raw'} file"

    @property
    def _frame_bytes(self) -> int:
        return math.prod(self.sources[0].frame_shape) * self.dtype.itemsize

    def _block(self, source: FrameSource, start: int, stop: int) -> np.ndarray:
        first, *others = self.views
        block = first.turn(source.read(start, stop, first.stored_window(), self._files))
        for view in others:
            block = view.apply(block)
        return np.maximum(block, 0) if self.clipped else block


def stored_in_hdf5(
    path: str | Path, datasets: Sequence[h5py.Dataset], view: FrameView | None = None
) -> StoredPatterns:
    """Return the frames of open datasets, one after the other, as patterns that stay on disk.

    Args:
        path: The file that the user named, for messages.
        datasets: Of three axes (frame, row, column) or four (slow, fast, row, column), all with
            frames of the same shape and type; they may lie in other files (external links) or be
            virtual.
        view: How frames become patterns; None = as they are.

    Raises:
        DataError: A dataset is damaged, was never written, needs a filter that is not there, or
            differs from the others.
    """
    for dataset in datasets:
        require_readable(path, dataset)
    sources = [source for dataset in datasets for source in hdf5_sources(path, dataset)]
    return StoredPatterns(path, sources, () if view is None else (view,))


def turned(patterns: Patterns, view: FrameView) -> Patterns:
    """Return patterns turned and cut: a view of an array, or what stays on disk as before."""
    if isinstance(patterns, StoredPatterns):
        return patterns.viewed(view)
    return view.apply(np.asanyarray(patterns))
