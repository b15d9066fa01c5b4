"""Where tensors live and how many threads work on them."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

from ptychopinn.errors import ConfigError

_LOG = logging.getLogger(__name__)

#: Bytes of complex waves in a batch: what stays in a processor's cache, and what fills a GPU.
_CPU_BYTES = 2**21
_GPU_BYTES = 2**29
#: Memory for patterns that are kept between sweeps where nothing says how much is free, in MiB.
_CACHE_MB = 256


def resolve_device(name: str) -> torch.device:
    """Return the device that a name asks for; ``auto`` takes an accelerator when there is one.

    Of several processes on a machine, which LOCAL_RANK tells apart, each takes its own.

    Raises:
        ConfigError: The name is no device, or the device is not there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            rank = os.environ.get("LOCAL_RANK")
            return torch.device("cuda", int(rank)) if rank else torch.device("cuda")
        return torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(
            f"device: '{name}' is no device; write auto, cpu, cuda, cuda:1 or mps."
        ) from error
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}
    if not available.get(device.type, False):
        raise ConfigError(
            f"device: '{name}' was asked for, but this machine or this build of torch "
            f"({torch.__version__}) has none; use --device auto or cpu."
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"device: '{name}' was asked for, but there are {torch.cuda.device_count()}."
        )
    return device


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def use_threads(count: int | None) -> int:
    """Let torch use this many processor threads.

    None asks the environment variable OMP_NUM_THREADS, then takes all cores that this process may
    run on. On a machine that others use as well, fewer threads are faster: each step waits for
    the slowest of them.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    asked = os.environ.get("OMP_NUM_THREADS", "")
    wanted = count or (int(asked) if asked.isdigit() and int(asked) else allowed) or 1
    if wanted != torch.get_num_threads():
        torch.set_num_threads(wanted)
    _LOG.debug("%d threads", wanted)
    return wanted


#: Threads that torch had before `own_threads`; 0 = not inside of it.
_KEPT_FROM_TORCH: ContextVar[int] = ContextVar("_KEPT_FROM_TORCH", default=0)


def thread_count() -> int:
    """Return how many processor threads may work: those of torch, now or before `own_threads`."""
    return _KEPT_FROM_TORCH.get() or max(1, torch.get_num_threads())


@contextmanager
def own_threads() -> Iterator[None]:
    """Give the processor to threads of ours; torch keeps to one meanwhile.

    Threads of torch's own go on spinning for milliseconds after each operation that they shared,
    and take the cores from ours: with two of each, sweeps are no faster than with one.
    """
    before, count = torch.get_num_threads(), thread_count()
    torch.set_num_threads(1)
    token = _KEPT_FROM_TORCH.set(count)
    try:
        yield
    finally:
        _KEPT_FROM_TORCH.reset(token)
        torch.set_num_threads(before)


@contextmanager
def threads_of_torch() -> Iterator[None]:
    """Give torch its threads back for something large, inside of `own_threads`."""
    count = _KEPT_FROM_TORCH.get()
    if count > 1:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count > 1:
            torch.set_num_threads(1)


def automatic_batch_size(n: int, modes: int, device: torch.device) -> int:
    """Return how many patterns of N x N pixels and P modes make a batch.

    On a CPU the waves of a batch should stay in the cache; on a GPU they should fill it.
    """
    budget = _CPU_BYTES if device.type == "cpu" else _GPU_BYTES
    return max(1, budget // (n * n * modes * 8))


def is_out_of_memory(error: BaseException) -> bool:
    """Tell a lack of memory from other errors; torch has no class of its own for it on a CPU."""
    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return known or "allocate memory" in str(error)


def free_bytes(device: torch.device) -> int | None:
    """Return the memory that a CUDA device has left for this process; None on other devices."""
    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    # What torch has taken and does not use is free for the next tensors.
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def cache_bytes(wanted_mb: float | None, device: torch.device, taken: float = 0) -> float:
    """Return the memory for patterns that are kept between sweeps, in bytes.

    Args:
        wanted_mb: What the settings say, in MiB; None = 256, on a CUDA device half of what is free.
        device: Where they are worked on.
        taken: Bytes of the free memory that something else will need.
    """
    free = free_bytes(device)
    if wanted_mb is None and free is not None:
        return max(0.0, free - taken) / 2
    return (_CACHE_MB if wanted_mb is None else wanted_mb) * 2**20
