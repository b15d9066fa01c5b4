"""Patterns on their way from where a scan keeps them to where they are worked on."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch

from ptychopinn.physics.view import amplitude_in_corner
from ptychopinn.scan import Scan

#: Numbers of more bytes than float32 has become float32 before they travel.
_MOST_BYTES = 4


class PatternFeed:
    """Brings patterns of a scan to a device and takes the root there.

    Patterns travel as they are stored, with two bytes a pixel where the file has two. To an
    accelerator they go through memory that it fetches by itself, and the next block is read while
    one is worked on; on a processor every thread reads its own share, so a thread that reads ahead
    would only take turns with them.

    Args:
        scan: Whose patterns.
        device: Where they are worked on.
        accelerator: Whether the device works while the processor reads; None = if it is CUDA.
    """

    def __init__(self, scan: Scan, device: torch.device, accelerator: bool | None = None) -> None:
        self._scan = scan
        self._device = device
        self._accelerator = device.type == "cuda" if accelerator is None else accelerator
        good = torch.from_numpy(np.ascontiguousarray(scan.mask, dtype=np.bool_))
        self._good = None if scan.mask.all() else good.to(device)

    def amplitude_of(self, patterns: np.ndarray) -> torch.Tensor:
        """Return (1, C, N, N) sqrt(counts) of some patterns, zero frequency in the corner."""
        return self.amplitude(self.read(patterns))

    def blocks(self, parts: Iterable[np.ndarray | None]) -> Iterator[torch.Tensor | None]:
        """Yield what `read` gives for each part, and None for None."""
        if not self._accelerator:
            yield from map(self._read_if_any, parts)
            return
        with ThreadPoolExecutor(1) as reader:
            coming: Future[torch.Tensor | None] | None = None
            for part in parts:
                after = reader.submit(self._read_if_any, part)
                if coming is not None:
                    yield coming.result()
                coming = after
            if coming is not None:
                yield coming.result()

    def read(self, patterns: np.ndarray) -> torch.Tensor:
        """Read some patterns as they are stored, (C, N, N), into the processor's memory."""
        block = np.ascontiguousarray(self._scan.patterns[patterns])
        if block.dtype.itemsize > _MOST_BYTES or not block.dtype.isnative:
            block = block.astype(np.float32)
        read = torch.from_numpy(block)
        return read.pin_memory() if self._accelerator else read

    def _read_if_any(self, patterns: np.ndarray | None) -> torch.Tensor | None:
        return None if patterns is None else self.read(patterns)

    def amplitude(self, block: torch.Tensor) -> torch.Tensor:
        """Return (1, C, N, N) sqrt(counts) on the device; the same bits as from `Scan.counts`."""
        # The copy queues behind the work before it, and the processor does not wait for either.
        counts = block.to(self._device, non_blocking=self._accelerator).to(torch.float32)
        if self._scan.domain == "amplitude":
            counts = counts.square()
        if self._good is not None:
            counts = torch.where(self._good, counts, counts.new_zeros(()))
        return amplitude_in_corner(counts)[None]
