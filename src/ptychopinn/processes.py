"""Several processes that work on one scan: which one this is, and sums over all of them.

Every process reads its own share of the patterns and holds the whole canvas; what the shares ask of
the canvas is summed with one collective a step. ``torchrun`` and Slurm say by the environment how
many processes there are; nobody else needs to know.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import distributed

from ptychopinn.errors import ConfigError, ProcessError


@dataclass(frozen=True)
class Processes:
    """This process among those that share a scan."""

    index: int = 0
    """Number of this process, from 0."""
    count: int = 1
    """How many there are."""

    @property
    def first(self) -> bool:
        """Tell whether this is the process that speaks and writes."""
        return self.index == 0

    def share(self, items: np.ndarray) -> np.ndarray:
        """Return this process's consecutive part of (M,) items; the parts together are all."""
        return np.array_split(items, self.count)[self.index]

    def add_up(self, values: torch.Tensor) -> torch.Tensor:
        """Replace values, in place, by their sum over all processes; the same bits in each.

        Raises:
            ProcessError: Another process is gone.
        """
        if self.count == 1:
            return values
        real = torch.view_as_real(values) if values.is_complex() else values
        try:
            distributed.all_reduce(real)
        except RuntimeError as error:
            raise ProcessError(
                f"process {self.index} of {self.count}: another process is gone or cannot be "
                f"reached ({str(error).splitlines()[0]}); see what that one said, and start again."
            ) from error
        return values


#: The only process there is.
ALONE = Processes()


def current() -> Processes:
    """Return this process among those that have joined; `ALONE` where none have."""
    if distributed.is_available() and distributed.is_initialized():
        return Processes(distributed.get_rank(), distributed.get_world_size())
    return ALONE


@contextmanager
def joined() -> Iterator[Processes]:
    """Join the processes that the environment tells of (RANK, WORLD_SIZE, MASTER_ADDR, ...).

    Raises:
        ConfigError: They do not find each other, or the environment is incomplete.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    try:
        distributed.init_process_group(backend)
    except (ValueError, RuntimeError) as error:
        raise ConfigError(
            f"WORLD_SIZE={os.environ['WORLD_SIZE']}: the processes do not find each other "
            f"({str(error).splitlines()[0]}); start them with torchrun or srun, see "
            "docs/scaling.md."
        ) from error
    try:
        yield current()
    finally:
        distributed.destroy_process_group()
