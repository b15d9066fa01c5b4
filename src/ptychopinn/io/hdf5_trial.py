"""A trial of an HDF5 file in a process of its own, because damaged ones keep the library forever.

Text of any length lies in heaps that point to themselves; where a number in them is wrong, the
library walks in circles, or takes whatever memory it is told, and nothing can call it back. So the
structure and the texts of a file are read once by a copy of this process, whose processor time and
memory are bounded; numbers are left alone, for they are read block by block and checked then.
"""

import functools
import importlib
import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import h5py

from ptychopinn.io.refusal import bytes_in_words, refusal

# Windows has none.
resource: Any = None if sys.platform == "win32" else importlib.import_module("resource")

#: Processor time of the trial, in seconds; a good file takes some thousandths.
_SECONDS = 3
#: Time after which it is given up, and the file read without: a slow disk is no damage.
_PATIENCE_S = 60
#: Memory that it may take.
_BYTES = 2**29
#: Objects of a file that are tried; those behind them are read without.
_OBJECTS = 5_000
#: Larger attributes and tables of texts are not read by anybody.
_LARGEST_BYTES = 2**20
#: What the library raises for damage; who reads the file meets it again and says so.
_DAMAGE = (OSError, RuntimeError, LookupError, ValueError, TypeError)
#: What it says when there is not enough memory, which has no type of its own.
_NO_MEMORY = ("allocation failed", "to allocate")
_FINE, _TOO_MUCH = 0, 3


def require_harmless(path: str | Path) -> None:
    """Refuse an HDF5 file that would keep the library forever or take absurd memory.

    Tried once for each state of a file; not on systems that cannot copy a process.
    """
    if resource is None:
        return
    place = Path(path).resolve()
    status = place.stat()
    if _trial(str(place), status.st_size, status.st_mtime_ns) != _FINE:
        raise refusal(
            path,
            "",
            f"a structure that HDF5 cannot read within {_SECONDS} s and {bytes_in_words(_BYTES)}",
            "an intact HDF5 file",
            "copy or make the file again",
        )


@functools.lru_cache(maxsize=256)
def _trial(path: str, size: int, changed_ns: int) -> int:  # noqa: ARG001 - what tells its states
    """Return how the trial of a file ended: 0, or what is wrong."""
    try:
        child = os.fork()
    except OSError:  # there is no memory for a copy of this process
        return _FINE
    if child == 0:
        _try_and_leave(path)
    return _end_of(child)


def _end_of(child: int) -> int:
    """Wait for the trial and return how it ended; one that stands still is ended and forgotten."""
    started, pause = time.monotonic(), 0.001
    while time.monotonic() - started < _PATIENCE_S:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(pause)
        pause = min(2 * pause, 0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return _FINE


def _try_and_leave(path: str) -> None:
    """Read structure and texts under limits, then end this process at once, whatever happened."""
    code = _FINE
    try:
        before = _peak_bytes()
        _limit()
        with h5py.File(path, "r") as file:
            for item in islice(_objects(file), _OBJECTS):
                with _damage_passed_over():
                    _read_texts(item)
                if _peak_bytes() - before > _BYTES:
                    code = _TOO_MUCH
                    break
    except MemoryError:
        code = _TOO_MUCH
    finally:
        os._exit(code)


@contextmanager
def _damage_passed_over() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        if any(words in str(error) for words in _NO_MEMORY):
            raise MemoryError from error


def _peak_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit


def _limit() -> None:
    """Bound processor time, and write no image of the memory when it is used up."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_CPU, _SECONDS)
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _lower(resource.RLIMIT_AS, pages * resource.getpagesize() + 2 * _BYTES)


def _lower(what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (bound, hard))


def _objects(file: h5py.File) -> Iterator[h5py.HLObject]:
    """Yield every object that can be reached by hard links, past those that are damaged."""
    waiting: list[h5py.HLObject] = [file]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        with _damage_passed_over():
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                continue
            seen.add(address)
        yield item
        if isinstance(item, h5py.Group):
            waiting.extend(_members(item))


def _members(group: h5py.Group) -> Iterator[h5py.HLObject]:
    with _damage_passed_over():
        for name in group:
            with _damage_passed_over():
                if isinstance(group.get(name, getlink=True), h5py.HardLink):
                    yield group[name]


def _read_texts(item: h5py.HLObject) -> None:
    """Read attributes, and what a dataset keeps in the heaps of the file."""
    for name in item.attrs:
        with _damage_passed_over():
            found = item.attrs.get_id(name)
            if math.prod(found.shape or ()) * found.dtype.itemsize <= _LARGEST_BYTES:
                item.attrs[name]
    if isinstance(item, h5py.Dataset) and item.dtype.hasobject and item.nbytes <= _LARGEST_BYTES:
        item[()]
