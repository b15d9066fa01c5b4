"""YAML files of settings: checked by our own rules, and left to the parser as it wants them."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from ptychopinn.config import (
    Config,
    IterativeConfig,
    PretrainingConfig,
    SimulationConfig,
    UnrolledConfig,
    read_settings,
)
from ptychopinn.errors import ConfigError, did_you_mean

#: Sections that are no part of `Config`.
APART: dict[str, Any] = {
    **{kind.section: kind for kind in (IterativeConfig, PretrainingConfig, SimulationConfig)},
    "unrolled": UnrolledConfig,
}
#: All sections of all commands.
_SECTIONS: dict[str, Any] = {**get_type_hints(Config), **APART}


def files_replaced(arguments: Sequence[str], sections: Mapping[str, type]) -> list[str]:
    """Put in place of every YAML file what it says to a command.

    ``--config`` names a file of any sections, as a run of whatever command writes them: those that
    this command does not have are checked and left out. ``--training FILE`` and the like name the
    settings of one section.

    Args:
        arguments: Of the command.
        sections: Its sections.

    Raises:
        ConfigError: A file cannot be read, holds an unknown setting (the nearest known one is
            named), or a value out of bounds; the sentence names the file.
    """
    kinds = {f"--{path}": kind for name, of in sections.items() for path, kind in _below(name, of)}
    kept, rest = [], iter(arguments)
    for argument in rest:
        flag, sign, value = argument.partition("=")
        if not sections or (flag != "--config" and flag not in kinds):
            kept.append(argument)
            continue
        place = value if sign else next(rest, "")
        known = _of_any_command(place, sections) if flag == "--config" else None
        said = _of_one_section(flag, place, kinds[flag]) if known is None else known
        kept.append(f"{flag}={yaml.safe_dump(said)}")
    return kept


def _below(path: str, kind: type) -> Iterator[tuple[str, type]]:
    """Yield a section and those inside it, by dotted name."""
    yield path, kind
    for name, hint in get_type_hints(kind).items():
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            yield from _below(f"{path}.{name}", hint)


def _of_any_command(place: str, sections: Mapping[str, type]) -> dict[str, Any]:
    """Return what a file says of these sections, once all of it is checked."""
    if not place:
        raise ConfigError("--config: found nothing after it, wanted a YAML file of settings.")
    said = read_settings(place)
    for name, values in said.items():
        if name not in _SECTIONS:
            raise ConfigError(
                f"{place}: {name}: unknown setting; {did_you_mean(str(name), _SECTIONS)}"
            )
        _check(place, _SECTIONS[name], values)
    own = {name: said[name] for name in said if name in sections}
    if said and not own:
        raise ConfigError(
            f"{place}: found settings of {', '.join(said)}, wanted some of {', '.join(sections)}; "
            "name another file."
        )
    return own


def _of_one_section(flag: str, place: str, kind: Any) -> dict[str, Any]:
    """Return what a file, or YAML in its place, says of a section."""
    if place.lstrip().startswith("{"):
        said = _inline(flag, place)
        _check(flag, kind, said)
        return said
    if not Path(place).suffix:
        raise ConfigError(f"{flag}: found '{place}', wanted a YAML file of its settings.")
    said = read_settings(place)
    _check(place, kind, said)
    return said


def _inline(flag: str, text: str) -> dict[str, Any]:
    try:
        said = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        said = None
    if not isinstance(said, dict):
        raise ConfigError(f"{flag}: found '{text[:40]}', wanted settings, as '{{name: value}}'.")
    return said


def _check(place: str, kind: Any, values: Any) -> None:
    """Refuse values that a section does not take, naming where they stand."""
    try:
        kind.from_dict(values)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from error
