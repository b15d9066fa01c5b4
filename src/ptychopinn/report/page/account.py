"""How a result came about, as a page tells it: command, files, settings, figures, comparison."""

from dataclasses import dataclass
from typing import Any

from ptychopinn.config import Config
from ptychopinn.report.page.source import PageSource
from ptychopinn.report.tables import readable_name, readable_value

#: Parts of the provenance that have a place of their own on the page.
_TOLD = {"command", "versions", "files", "checks", "trust", "decisions", "written"}


@dataclass(frozen=True)
class Row:
    """A name and a value."""

    name: str
    value: str
    changed: bool = False
    """True for a setting that differs from its default."""


@dataclass(frozen=True)
class Story:
    """How the result came about."""

    generator: str
    written: str
    command: str
    versions: tuple[Row, ...]
    files: tuple[tuple[str, str, str], ...]
    """(what it is, path, SHA-256 or why there is none)."""
    decisions: tuple[str, ...]
    """What the reader of the file decided."""


@dataclass(frozen=True)
class ComparisonTable:
    """Figures against a reference."""

    reference: str
    region: str
    parts: tuple[tuple[str, str, str], ...]
    """(figure, of the amplitude, of the phase)."""
    rest: tuple[Row, ...]


def story(source: PageSource) -> Story:
    """Return what the provenance tells of command, versions and files; it may be a stranger's."""
    told = source.provenance
    versions, files = (_dictionary(told.get(key)) for key in ("versions", "files"))
    decisions = told.get("decisions")
    return Story(
        generator=str(told.get("generator", "")),
        written=str(told.get("written", "")),
        command=str(told.get("command", "")),
        versions=tuple(Row(str(name), str(value)) for name, value in versions.items()),
        files=tuple(
            (str(name), str(file.get("path", "")), str(file.get("sha256") or "not hashed"))
            for name, file in files.items()
            if isinstance(file, dict)
        ),
        decisions=tuple(map(str, decisions)) if isinstance(decisions, list) else (),
    )


def figures(source: PageSource) -> tuple[Row, ...]:
    """Return the rest of provenance and quality as rows."""
    quality = source.image.quality if source.image is not None else {}
    rest = {key: value for key, value in source.provenance.items() if key not in _TOLD}
    return tuple(
        Row(": ".join(readable_name(part) for part in path), readable_value(path[-1], value))
        for path, value in _flat({**rest, **quality})
        if not isinstance(value, str) or len(value) < 200
    )


def settings(source: PageSource) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    """Return the settings by section; those that differ from their defaults are marked."""
    usual = dict(_flat(Config().to_dict()))
    return tuple(
        (
            str(section),
            tuple(
                Row(".".join(path), _said(value), changed=_differs(usual, (section, *path), value))
                for path, value in _flat(values)
            ),
        )
        for section, values in source.settings.items()
        if isinstance(values, dict)
    )


def _differs(usual: dict[tuple[str, ...], Any], path: tuple[str, ...], value: Any) -> bool:
    return path not in usual or usual[path] != value


def _said(value: Any) -> str:
    words = {None: "none", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def comparison_table(source: PageSource) -> ComparisonTable | None:
    """Return the figures against a reference, amplitude beside phase; None without any."""
    metrics = _dictionary(source.comparison.get("metrics"))
    if not metrics:
        return None
    amplitude, phase = (_dictionary(metrics.get(name)) for name in ("amplitude", "phase"))
    rest = {key: value for key, value in metrics.items() if key not in ("amplitude", "phase")}
    return ComparisonTable(
        reference=str(source.comparison.get("reference", "")),
        region=str(source.comparison.get("region", "all")),
        parts=tuple(
            (readable_name(key), readable_value(key, value), readable_value(key, phase.get(key)))
            for key, value in amplitude.items()
        ),
        rest=tuple(
            Row(" ".join(map(readable_name, path)), readable_value(path[-1], value))
            for path, value in _flat(rest)
        ),
    )


def _flat(values: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Return (path, value) of every leaf of nested values; long lists are left out."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for key, value in values.items():
        here = (*path, str(key))
        if isinstance(value, dict):
            found += _flat(value, here)
        elif not isinstance(value, list) or len(value) <= 6:
            found.append((here, value))
    return found


def _dictionary(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}
