"""Temporary names that tell whose they are, so that what killed runs left can be removed."""

import hashlib
import os
import re
import secrets
import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path

#: What another machine's process left is removed after this, for nobody can ask whether it lives.
_WEEK_S = 7 * 86_400
#: File systems take names of 255 bytes.
_LONGEST_STEM = 60


def temporary_name(stem: str, suffix: str = "") -> str:
    """Return a hidden name that nobody else takes; it holds the machine and this process."""
    mine = f"{_machine()}-{os.getpid()}-{secrets.token_hex(4)}"
    return f".{stem[:_LONGEST_STEM]}.{mine}{suffix}"


def remove_leftovers(folder: Path, stem: str, suffix: str = "") -> None:
    """Remove what processes that are gone left in a folder under temporary names of this stem."""
    shape = re.compile(
        rf"\.{re.escape(stem[:_LONGEST_STEM])}\.([0-9a-f]+)-(\d+)-[0-9a-f]{{8}}{re.escape(suffix)}"
    )
    with suppress(OSError):
        for place in list(os.scandir(folder)):
            found = shape.fullmatch(place.name)
            if found and _is_abandoned(place, found.group(1), int(found.group(2))):
                _remove(Path(place.path))


def _machine() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]


def _is_abandoned(place: os.DirEntry, machine: str, process: int) -> bool:
    if machine == _machine() and os.name == "posix":
        return not _is_alive(process)
    return time.time() - place.stat(follow_symlinks=False).st_mtime > _WEEK_S


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        with suppress(OSError):
            place.unlink()
