"""Which patterns are worked on together, and by which thread of which process."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
import torch

from ptychopinn.data.compact import Compact
from ptychopinn.device import own_threads, thread_count
from ptychopinn.physics.subsets import Subset, z_order
from ptychopinn.processes import ALONE, Processes

T = TypeVar("T")


@dataclass(frozen=True)
class BatchPlan:
    """The patterns of a scan, or of one process's share of it, cut into batches."""

    members: list[np.ndarray]
    """Pattern numbers of each batch, ascending: the order of the file, which disks prefer."""
    subset: list[int]
    """The finest subset that each batch belongs to."""

    @classmethod
    def interleaved(
        cls,
        corners: torch.Tensor,
        batch_size: int,
        subsets: int,
        *,
        threads: int = 1,
        processes: Processes = ALONE,
        compact: Compact | None = None,
    ) -> Self:
        """Cut interleaved subsets of the patterns into equal batches, as many for every thread.

        Args:
            corners: (K, 2) int64 first pixels of the windows.
            batch_size: Most patterns in a batch.
            subsets: Number of subsets, a power of two.
            threads: Threads among which the batches will be shared.
            processes: This process takes its own share of every subset.
            compact: Put neighbours on the canvas into a batch, as close as this says, instead of
                neighbours in the file; batches may then be smaller.
        """
        order = z_order(corners.cpu()).numpy()
        members: list[np.ndarray] = []
        subset: list[int] = []
        for part in range(subsets):
            patterns = order[part::subsets]
            mine = processes.share(patterns if compact else np.sort(patterns))
            if compact:
                near = compact.cut(corners.cpu().numpy()[mine], batch_size)
                cut = [np.sort(mine[batch]) for batch in near]
            else:
                pieces = -(-len(mine) // (batch_size * threads)) * threads
                cut = np.array_split(mine, min(pieces, len(mine))) if len(mine) else []
            members += cut
            subset += [part] * len(cut)
        return cls(members, subset)

    def first_within(self, room: float, each: float) -> int:
        """Return how many batches, from the first, fit into a room where a pattern takes ``each``.

        Args:
            room: In bytes, as ``each``.
            each: Bytes of a pattern.
        """
        filled = each * np.cumsum([len(batch) for batch in self.members])
        return int(np.searchsorted(filled, room, side="right"))

    def of(self, subset: Subset) -> list[int]:
        """Return the numbers of the batches in a subset of the patterns."""
        return [
            number for number, part in enumerate(self.subset) if part % subset.count == subset.index
        ]


class ThreadShares:
    """Threads that take equal, fixed shares of the batches, without waiting for each other.

    Threads that never wait inside a sweep keep their pace on a machine that others use as well;
    sharing every single operation among them does not. The shares are fixed, so the same number of
    threads gives the same bits.

    Args:
        device: Where the work is done; an accelerator is fed by one thread.
    """

    def __init__(self, device: torch.device) -> None:
        self.count = thread_count() if device.type == "cpu" else 1
        """Number of threads."""
        self._pool = None
        if self.count > 1:
            self._pool = ThreadPoolExecutor(
                self.count - 1, initializer=torch.set_num_threads, initargs=(1,)
            )

    def work(self, task: Callable[[Sequence[int]], T], batches: Sequence[int]) -> list[T]:
        """Call ``task(batch numbers)`` once a thread, without gradients; return the answers.

        Each thread takes a run of the batches, in their order.
        """
        shares = max(1, min(self.count, len(batches)))
        # Neighbours in the file, which are neighbours in a raster, go to the same thread.
        bounds = [round(number * len(batches) / shares) for number in range(shares + 1)]

        def quietly(first: int) -> T:
            with torch.inference_mode():
                return task(batches[bounds[first] : bounds[first + 1]])

        if self._pool is None:
            return [quietly(0)]
        # The caller takes the first share: who waits must be woken, which takes half a millisecond.
        others = [self._pool.submit(quietly, number) for number in range(1, shares)]
        try:
            with own_threads():
                mine = quietly(0)
            return [mine, *(other.result() for other in others)]
        finally:
            wait(others)
