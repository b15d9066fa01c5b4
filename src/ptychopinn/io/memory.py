"""How much memory an array may take before it is read."""

import os
import sys
from pathlib import Path

from ptychopinn.io.refusal import bytes_in_words, refusal

_MEMINFO = Path("/proc/meminfo")


def available_memory_bytes() -> int:
    """Return the memory that can be taken without swapping, in bytes.

    On Linux what the kernel calls available (free memory plus caches that it would give up);
    elsewhere all physical memory; where neither is known, no bound.
    """
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:
        lines = []
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return _physical_memory_bytes()


def _physical_memory_bytes() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return sys.maxsize


def require_memory(path: str | Path, key: str, nbytes: int, step: str) -> None:
    """Refuse an array of a file that is larger than the available memory."""
    available = available_memory_bytes()
    if nbytes > available:
        raise refusal(
            path,
            key,
            f"an array of {bytes_in_words(nbytes)}",
            f"at most {bytes_in_words(available)} (the memory available now)",
            step,
        )
