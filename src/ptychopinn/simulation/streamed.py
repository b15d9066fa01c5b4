"""Simulated patterns that are made while they are read, for scans larger than memory."""

from collections.abc import Iterator

import numpy as np

from ptychopinn.errors import DataError
from ptychopinn.simulation.synthesis import Experiment, pattern_batches


class StreamedPatterns:
    """The patterns of a synthetic scan in order, a slice at a time; `Patterns` of a `Scan`.

    They are read by slices that follow each other, as a writer does; a slice that begins at 0
    begins anew, and gives the same patterns again.

    Args:
        experiment: Everything about the scan but its patterns.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        count, n = len(experiment.positions_px), experiment.probe.shape[-1]
        self.shape = (count, n, n)
        self.ndim = 3
        self.dtype = np.dtype(np.float32 if experiment.noise_seed is None else np.uint32)
        self.nbytes = count * n * n * self.dtype.itemsize
        self._batches: Iterator[np.ndarray] = iter(())
        self._left = np.empty((0, n, n), dtype=np.uint16)
        self._next = 0

    def __len__(self) -> int:
        """Return K."""
        return self.shape[0]

    def __getitem__(self, key: slice) -> np.ndarray:
        """Make the patterns of the next slice.

        Raises:
            DataError: The slice does not follow the one before.
        """
        start, stop, step = key.indices(len(self))
        if start == 0:
            self._batches, self._next = pattern_batches(self._experiment), 0
            self._left = self._left[:0]
        if start != self._next or step != 1:
            raise DataError(
                f"simulated patterns: found a slice from {start}, wanted one from {self._next}: "
                "they are made in order; use simulate() for patterns in memory."
            )
        parts, count = [self._left], len(self._left)
        while count < stop - start:
            parts.append(next(self._batches))
            count += len(parts[-1])
        made = np.concatenate([part for part in parts if len(part)] or parts)
        self._left, self._next = made[stop - start :], stop
        return made[: stop - start]
