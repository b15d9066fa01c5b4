"""Processes that are threads: sums as between processes, without starting any."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import torch

from ptychopinn.processes import Processes


@dataclass(frozen=True)
class _Table:
    """Where the threads lay what is to be summed."""

    barrier: threading.Barrier
    values: dict[int, torch.Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Together(Processes):
    """One of several threads that share a table."""

    table: _Table | None = None
    sums: list[tuple[int, ...]] = field(default_factory=list)
    """Shapes of what was summed."""

    def _sum(self, real):
        self.sums.append(tuple(real.shape))
        self.table.values[self.index] = real.clone()
        self.table.barrier.wait(timeout=60)
        real.copy_(sum(self.table.values[index] for index in range(self.count)))
        self.table.barrier.wait(timeout=60)


def together(work: Callable[[Together], Any], count: int = 2) -> list[Any]:
    """Return what ``work(processes)`` gives in each of several threads."""
    table = _Table(threading.Barrier(count))

    def one(index: int) -> Any:
        try:
            return work(Together(index, count, table))
        except BaseException:
            table.barrier.abort()
            raise

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))
