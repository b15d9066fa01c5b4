"""The patterns of a scan in batches, read anew or kept, each thread with a share of them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch

from ptychopinn.data.batch_plan import BatchPlan, ThreadShares
from ptychopinn.data.pattern_feed import PatternFeed
from ptychopinn.physics.fourier import to_corner
from ptychopinn.physics.subsets import Subset
from ptychopinn.processes import ALONE, Processes
from ptychopinn.scan import Scan

T = TypeVar("T")


class PatternBatches:
    """Batches of a scan, each within one of the interleaved subsets of its patterns.

    Args:
        scan: What was measured.
        subsets: Number of subsets, a power of two.
        batch_size: Most patterns in a batch.
        device: Where the work is done.
        cache_bytes: Memory for patterns that are kept.
        processes: Who shares the patterns; the batches are those of this process.
    """

    def __init__(
        self,
        scan: Scan,
        subsets: int,
        batch_size: int,
        device: torch.device,
        cache_bytes: float,
        processes: Processes = ALONE,
    ) -> None:
        self.processes = processes
        """Who shares the patterns."""
        good = torch.from_numpy(scan.mask.astype(np.float32)).to(device)
        self.good = to_corner(good)
        """(N, N) 1 = good, zero frequency in the corner."""
        self.mask = None if scan.mask.all() else self.good
        """The same; None = all are."""
        corners = np.floor(scan.positions_px).astype(np.int64) - scan.n // 2
        self._threads = ThreadShares(device)
        self._plan = BatchPlan.interleaved(
            torch.from_numpy(corners),
            batch_size,
            subsets,
            threads=self._threads.count,
            processes=processes,
        )
        self._feed = PatternFeed(scan, device)
        self._kept: list[torch.Tensor | None] = [None] * len(self._plan.members)
        self._keep = self._plan.first_within(cache_bytes, 4 * scan.n * scan.n)

    def of(self, subset: Subset) -> list[int]:
        """Return the numbers of this process's batches in a subset."""
        return self._plan.of(subset)

    def members(self, number: int) -> np.ndarray:
        """Return the pattern numbers of a batch."""
        return self._plan.members[number]

    def amplitude(self, number: int) -> torch.Tensor:
        """Return (1, C, N, N) sqrt(counts) of a batch, zero frequency in the corner."""
        kept = self._kept[number]
        if kept is None:
            kept = self.amplitude_of(self._plan.members[number])
            if number < self._keep:
                self._kept[number] = kept
        return kept

    def amplitude_of(self, patterns: np.ndarray) -> torch.Tensor:
        """Return (1, C, N, N) sqrt(counts) of any patterns."""
        return self._feed.amplitude_of(patterns)

    def share(self, work: Callable[[Sequence[int]], T], batches: Sequence[int]) -> list[T]:
        """Call ``work(batch numbers)`` once a thread; fixed shares give the same bits again."""
        return self._threads.work(work, batches)
