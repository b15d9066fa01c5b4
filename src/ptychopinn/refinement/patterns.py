"""The patterns of a scan in batches, read anew or kept, each thread with a share of them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch

from ptychopinn.physics.fourier import to_corner
from ptychopinn.physics.subsets import Subset, z_order
from ptychopinn.physics.view import amplitude_in_corner
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
    """

    def __init__(
        self,
        scan: Scan,
        subsets: int,
        batch_size: int,
        device: torch.device,
        cache_bytes: float,
    ) -> None:
        self._scan = scan
        self._device = device
        good = torch.from_numpy(scan.mask.astype(np.float32)).to(device)
        self.mask = None if scan.mask.all() else to_corner(good)
        """(N, N) 1 = good, zero frequency in the corner; None = all are."""
        corners = np.floor(scan.positions_px).astype(np.int64) - scan.n // 2
        order = z_order(torch.from_numpy(corners)).numpy()
        threads = torch.get_num_threads() if device.type == "cpu" else 1
        self._threads = max(1, threads)
        self._pool = None
        if self._threads > 1:
            self._pool = ThreadPoolExecutor(
                self._threads, initializer=torch.set_num_threads, initargs=(1,)
            )
        self._members: list[np.ndarray] = []
        self._subset: list[int] = []
        for part in range(subsets):
            patterns = np.sort(order[part::subsets])
            pieces = -(-len(patterns) // (batch_size * self._threads)) * self._threads
            cut = np.array_split(patterns, min(pieces, len(patterns)))
            self._members += cut
            self._subset += [part] * len(cut)
        each = 4 * scan.n * scan.n * max(map(len, self._members))
        self._kept: list[torch.Tensor | None] = [None] * len(self._members)
        self._keep = int(cache_bytes // each)

    def of(self, subset: Subset) -> list[int]:
        """Return the numbers of the batches in a subset."""
        return [i for i, part in enumerate(self._subset) if part % subset.count == subset.index]

    def members(self, number: int) -> np.ndarray:
        """Return the pattern numbers of a batch."""
        return self._members[number]

    def amplitude(self, number: int) -> torch.Tensor:
        """Return (1, C, N, N) sqrt(counts) of a batch, zero frequency in the corner."""
        kept = self._kept[number]
        if kept is None:
            kept = self.amplitude_of(self._members[number])
            if number < self._keep:
                self._kept[number] = kept
        return kept

    def amplitude_of(self, patterns: np.ndarray) -> torch.Tensor:
        """Return (1, C, N, N) sqrt(counts) of any patterns."""
        counts = torch.from_numpy(self._scan.counts(patterns)).to(self._device)
        return amplitude_in_corner(counts)[None]

    def share(self, work: Callable[[Sequence[int]], T], batches: Sequence[int]) -> list[T]:
        """Call ``work(batch numbers)`` once a thread; fixed shares give the same bits again."""

        def quietly(first: int) -> T:
            with torch.inference_mode():
                return work(batches[first :: self._threads])

        if self._pool is None:
            return [quietly(0)]
        return list(self._pool.map(quietly, range(min(self._threads, len(batches)))))
