"""Several processes that work on one scan: which one this is, and sums over all of them.

Every process reads its own share of the patterns and holds the whole canvas; what the shares ask of
the canvas is summed with one collective a step. Before each step they tell each other whether any
had to give up, for who leaves a sum alone breaks those who wait in it. `launcher` knows how many
processes there are.

Sums, each with that word before it: a sweep of `unrolled` takes one over the canvas for every
subset, and the light as many once; the deviance that ends the sweeps one of two numbers, and where
the canvas lives one of one. A sweep of `refine` takes one for every subset, and one each time that
positions move or are looked for. The check by halves takes one for each half, and one for the few
patterns that it shows; no others are sent. `looking_together` shares the first look at a file too.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import torch
from torch import distributed

from ptychopinn.errors import ConfigError, ProcessError, SharedScanError
from ptychopinn.launcher import TIMEOUT_VARIABLE, announced, as_torchrun_says, timeout_s


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
            SharedScanError: Another process gave this scan up.
        """
        if self.count == 1:
            return values
        self.go_on()
        self._sum(torch.view_as_real(values) if values.is_complex() else values)
        return values

    def all_say(self, yes: bool) -> bool:
        """Tell whether every process says yes; the same answer in each.

        Raises:
            ProcessError: Another process is gone.
            SharedScanError: Another process gave this scan up.
        """
        if self.count == 1:
            return yes
        self.go_on()
        votes = torch.tensor([float(yes)])
        self._sum(votes)
        return int(votes) == self.count

    def add_up_together(self, *values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the sums of several values over all processes, by one collective.

        Args:
            *values: Of one precision on one device, real or complex.

        Raises:
            ProcessError: Another process is gone.
            SharedScanError: Another process gave this scan up.
        """
        if self.count == 1:
            return values
        real = [torch.view_as_real(v) if v.is_complex() else v for v in values]
        total = self.add_up(torch.cat([part.flatten() for part in real]))
        parts = total.split([part.numel() for part in real])
        sums = [part.view(like.shape) for part, like in zip(parts, real, strict=True)]
        return tuple(
            torch.complex(*found.unbind(-1)) if value.is_complex() else found
            for found, value in zip(sums, values, strict=True)
        )

    def fill_in(self, *values: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return arrays of one type, of which each process filled in its part and left the rest 0.

        Raises as `add_up_together`, and takes one collective.
        """
        return tuple(v.numpy() for v in self.add_up_together(*map(torch.from_numpy, values)))

    def go_on(self, *, given_up: bool = False) -> None:
        """Tell the others whether this process goes on with the scan, and hear whether they do.

        Every process comes here before each sum and once at the end of a scan; a process that
        gives a scan up comes here at once. So all leave the scan at the same call.

        Args:
            given_up: This process cannot go on.

        Raises:
            ProcessError: Another process is gone.
            SharedScanError: Another process gave the scan up, and this one did not.
        """
        if self.count == 1:
            return
        stopped = torch.zeros(self.count)
        stopped[self.index] = float(given_up)
        self._sum(stopped)
        if stopped.any() and not given_up:
            first = int(stopped.argmax())
            raise SharedScanError(
                f"process {first} of {self.count} could not go on with this scan; see what it said."
            )

    def _sum(self, real: torch.Tensor) -> None:
        try:
            distributed.all_reduce(real)
        except RuntimeError as error:
            raise ProcessError(
                f"process {self.index} of {self.count}: another process is gone or cannot be "
                f"reached ({str(error).splitlines()[0]}); see what that one said, and start again."
            ) from error


#: The only process there is.
ALONE = Processes()


def current() -> Processes:
    """Return this process among those that have joined; `ALONE` where none have."""
    if distributed.is_available() and distributed.is_initialized():
        return Processes(distributed.get_rank(), distributed.get_world_size())
    return ALONE


#: Those who look through the file that is read just now.
_LOOKING: ContextVar[Processes] = ContextVar("_LOOKING", default=ALONE)


def lookers() -> Processes:
    """Return who looks through a file that is read here; `ALONE` outside of `looking_together`."""
    return _LOOKING.get()


@contextmanager
def looking_together(here: Processes) -> Iterator[None]:
    """Let processes that read the same scan at the same time look through it each in part.

    What they find is summed by one collective, so all of them must read, and nobody else may.

    Args:
        here: This one of them.
    """
    token = _LOOKING.set(here)
    try:
        yield
    finally:
        _LOOKING.reset(token)


@contextmanager
def joined() -> Iterator[Processes]:
    """Join the processes that the environment tells of; `ALONE` where it tells of none.

    Raises:
        ConfigError: They do not find each other in time, or the environment is incomplete.
    """
    count = announced()
    if count == 1:
        yield ALONE
        return
    os.environ.update(as_torchrun_says())
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    try:
        distributed.init_process_group(backend, timeout=timedelta(seconds=timeout_s()))
    except (ValueError, RuntimeError) as error:
        raise ConfigError(
            f"WORLD_SIZE={count}: the processes do not find each other within {timeout_s()} s "
            f"({str(error).splitlines()[0]}); see what the others said, and start them with "
            f"torchrun or srun; {TIMEOUT_VARIABLE} sets the seconds."
        ) from error
    try:
        yield current()
    finally:
        distributed.destroy_process_group()
        # What still refers to the group, as a trainer in a cycle of its own, would hold its threads
        # until the interpreter ends, and gloo aborts there.
        gc.collect()
