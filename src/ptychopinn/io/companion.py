"""Scans in two files: the other half of a pair, found beside the one that was named."""

from collections.abc import Callable
from pathlib import Path

from ptychopinn.errors import DataError
from ptychopinn.io.refusal import container, listed, refusal


def other_half(
    path: str | Path,
    candidates: list[Path],
    is_other: Callable[[Path], bool],
    *,
    missing_name: str,
    wanted: str,
) -> Path:
    """Return the file beside ``path`` that holds the other half of its scan.

    Args:
        path: The half that was named.
        candidates: Files that may be it, from `named_alike` or the folder.
        is_other: Tells by its content whether a file is such a half.
        missing_name: The name that it would usually have.
        wanted: What the other half holds, for the message.

    Raises:
        DataError: There is none, or several.
    """
    found = [place for place in candidates if _is(is_other, place)]
    if len(found) == 1:
        return found[0]
    if found:
        names = listed([place.name for place in found])
        raise refusal(
            path,
            "",
            f"{len(found)} files that fit it ({names})",
            f"one with {wanted}",
            "name that one, or move the others away",
        )
    raise refusal(
        path,
        "",
        f"half a scan, without {missing_name} beside it",
        f"also the file with {wanted}",
        f"put it there as {missing_name}",
    )


def beside(path: str | Path) -> list[Path]:
    """Return the other files of the folder of a file, by name; none when it cannot be listed."""
    place = Path(path)
    try:
        return sorted(
            item
            for item in place.parent.iterdir()
            if item.name != place.name and not item.name.startswith(".") and item.is_file()
        )
    except OSError:
        return []


def renamed(path: str | Path, old: str, new: str) -> Path:
    """Return the path whose name has ``new`` in the place of the last ``old``."""
    place = Path(path)
    before, found, after = place.name.rpartition(old)
    return place.with_name(before + new + after if found else place.name)


def _is(is_other: Callable[[Path], bool], place: Path) -> bool:
    """Tell whether a file is the other half; a damaged or missing one is not."""
    try:
        return container(place) is not None and is_other(place)
    except DataError:
        return False
