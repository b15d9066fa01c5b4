"""How many patterns are worked on at once; fewer when memory runs out, and that is said."""

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

from ptychopinn.device import is_out_of_memory
from ptychopinn.errors import DataError

T = TypeVar("T")

_LOG = logging.getLogger(__name__)


def keep_freed_memory() -> None:
    """Make the C library keep what tensors free, instead of returning it page by page.

    glibc raises its limits for mapping and trimming to the size of the largest mapped block that
    was ever freed, up to 32 MiB. Without this, the buffers of every operation are mapped, zeroed
    and given back anew, which costs a fifth to a third of a sweep. Harmless elsewhere.
    """
    torch.empty(31 * 2**20, dtype=torch.uint8)


def halve_until_it_fits(work: Callable[[int], T], batch_size: int) -> T:
    """Run ``work(batch_size)``, with half the size as often as memory runs out.

    Raises:
        DataError: Not even one pattern fits.
    """
    while True:
        try:
            return work(batch_size)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            if batch_size == 1:
                raise DataError(
                    "reconstruction: not even one pattern and its canvas fit into memory; bin the "
                    "patterns, or use a machine with more memory."
                ) from error
            batch_size //= 2
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            _LOG.warning("memory ran out: going on with %d patterns in a batch", batch_size)
