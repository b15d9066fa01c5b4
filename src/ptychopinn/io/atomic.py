"""Results appear whole or not at all: written beside their place, then moved into it."""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ptychopinn.errors import OutputError
from ptychopinn.io.leftovers import remove_leftovers, temporary_name
from ptychopinn.io.refusal import bytes_in_words, said_briefly

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary file beside ``path`` that takes its place when the block succeeds.

    The temporary file exists, is empty, and has the suffix of ``path``; missing folders are made.
    When the block fails, it is removed and what was at ``path`` is untouched.

    Raises:
        OutputError: ``path`` is a folder, or anything in the block or in the move raised OSError
            (no space, no permission); the sentence names the free space where that is the cause.
    """
    target = Path(os.path.realpath(path))
    with _failures_reported(path, target.parent), _folder_made(target.parent):
        if target.is_dir():
            raise _taken(path, "a folder", "the place of a file")
        remove_leftovers(target.parent, target.stem, target.suffix)
        beside = target.with_name(temporary_name(target.stem, target.suffix))
        beside.touch(exist_ok=False)
        try:
            yield beside
            move_in(beside, target)
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)


def move_in(beside: Path, target: Path) -> None:
    """Put a written file into its place, so that a crash at any moment leaves the old or the new.

    Raises:
        OSError: The disk is full, or the file cannot be moved.
    """
    _flush(beside)
    os.replace(beside, target)
    _flush(target.parent)


@contextmanager
def staged_folder(path: str | Path, *, outdated: Iterable[str] = ()) -> Iterator[Path]:
    """Yield an empty temporary folder whose files move into ``path`` when the block succeeds.

    ``path`` is made when missing; files of the same name are replaced one by one, others stay.
    When the block fails, nothing of it remains. The temporary folder lies beside ``path``, or in it
    where it is there, for it may be a disk of its own; what killed runs left there is removed.

    Args:
        path: The folder.
        outdated: Names of files there that the new ones make untrue, such as pictures of an older
            image; they are removed before the first file moves.

    Raises:
        OutputError: ``path`` is a file, a file would have to replace a folder, or anything in the
            block or in the moves raised OSError.
    """
    target = Path(os.path.realpath(path))
    with _failures_reported(path, target.parent), _folder_made(target.parent):
        if target.exists() and not target.is_dir():
            raise _taken(path, "a file", "a folder or nothing")
        around = target if target.exists() else target.parent
        for place in {target, target.parent}:
            remove_leftovers(place, target.name)
        beside = around / temporary_name(target.name)
        beside.mkdir()
        try:
            yield beside
            _move_files(beside, target, outdated)
        except OutputError as error:  # of a file in the temporary folder, which no user knows
            raise OutputError(str(error).replace(str(beside), str(path))) from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def require_folder_place(path: str | Path) -> None:
    """Refuse a place where no folder can be made or written to, before the work that is to fill it.

    Nothing is left there.

    Raises:
        OutputError: It or a folder above it is a file, its name is too long, or rights are missing.
    """
    target = Path(os.path.realpath(path))
    with _failures_reported(path, target.parent):
        probe = _existing(target) / temporary_name("probe")
        probe.mkdir()
        probe.rmdir()


def made_folder(path: str | Path) -> Path:
    """Make a folder with its parents where it is missing, and return it.

    Raises:
        OutputError: See `require_folder_place`.
    """
    target = Path(os.path.realpath(path))
    with _failures_reported(path, target.parent):
        _existing(target)
        target.mkdir(parents=True, exist_ok=True)
    return Path(path)


def _existing(target: Path) -> Path:
    """Return the folder itself, or the first one above it that is there; refuses a file."""
    there = next(place for place in (target, *target.parents) if place.exists())
    if not there.is_dir():
        raise _taken(there, "a file", "a folder or nothing")
    return there


def _move_files(source: Path, target: Path, outdated: Iterable[str]) -> None:
    """Move every file below one folder to the same relative place below another."""
    files = sorted(item for item in source.rglob("*") if item.is_file())
    for item in files:
        place = target / item.relative_to(source)
        if place.is_dir():
            raise _taken(place, "a folder", "the place of a file")
        _flush(item)
    target.mkdir(exist_ok=True)
    for name in outdated:
        (target / name).unlink(missing_ok=True)
    for item in files:
        place = target / item.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(item, place)
    _flush(target)


@contextmanager
def _folder_made(folder: Path) -> Iterator[None]:
    """Make a folder with its parents; those made here are removed again when the block fails."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    _existing(folder)
    with ExitStack() as undone:
        undone.callback(_remove_empty, missing)
        folder.mkdir(parents=True, exist_ok=True)
        yield
        undone.pop_all()


def _remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders, the innermost first, up to one that is not there or not empty."""
    with suppress(OSError):
        for place in folders:
            place.rmdir()


@contextmanager
def _failures_reported(path: str | Path, folder: Path) -> Iterator[None]:
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(_why(path, folder, error)) from error


def _taken(path: str | Path, found: str, wanted: str) -> OutputError:
    return OutputError(
        f"{path}: cannot be written: found {found} there, wanted {wanted}; choose another place "
        "or move it away."
    )


def _why(path: str | Path, folder: Path, error: OSError) -> str:
    reason = os.strerror(error.errno) if error.errno else said_briefly(error)
    if error.errno in _NO_SPACE:
        return (
            f"{path}: cannot be written ({reason}): found {_free_space(folder)} free, wanted more; "
            "make room there or choose another place."
        )
    return (
        f"{path}: cannot be written: found '{reason}', wanted a place that can be written to; "
        "choose another place or change its rights."
    )


def _free_space(folder: Path) -> str:
    """Return the free space of the disk that holds a folder, even when the folder is not there."""
    for place in (folder, *folder.parents):
        with suppress(OSError):
            return bytes_in_words(shutil.disk_usage(place).free)
    return "an unknown space"


def _flush(path: Path) -> None:
    """Wait until a file, or the list of a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
