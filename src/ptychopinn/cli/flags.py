"""Short flags for settings: ``--region`` stands for ``--data.region``."""

import dataclasses
from collections.abc import Sequence
from typing import Any, get_type_hints


def _leaves(kind: type, prefix: str) -> list[tuple[str, str]]:
    """Return (field name, dotted path) of every setting below a settings class."""
    hints = get_type_hints(kind)
    found = []
    for item in dataclasses.fields(kind):
        hint: Any = hints[item.name]
        path = f"{prefix}.{item.name}"
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            found.extend(_leaves(hint, path))
        else:
            found.append((item.name, path))
    return found


def short_flags(sections: dict[str, type]) -> dict[str, str]:
    """Map every short flag to its dotted one; the section that comes first wins a shared name.

    ``name`` of a section is reached by the section itself: ``--generator cnn``.
    """
    table: dict[str, str] = {}
    for section, kind in sections.items():
        for name, path in _leaves(kind, section):
            short = section if path == f"{section}.name" else name
            table.setdefault(f"--{short.replace('_', '-')}", f"--{path}")
    return table


def expand(arguments: Sequence[str], table: dict[str, str]) -> list[str]:
    """Replace short flags, written ``--flag value`` or ``--flag=value``, by the dotted ones."""
    expanded = []
    for argument in _joined(arguments):
        flag, sign, value = argument.partition("=")
        expanded.append(table.get(flag, flag) + sign + value)
    return expanded


#: The flag that takes several ``name=value``, with or without quotes around them.
_TAKES_PAIRS = ("--map", "--data.map")


def _joined(arguments: Sequence[str]) -> list[str]:
    """Make one argument of the ``name=value`` that follow the flag that takes several."""
    joined: list[str] = []
    inside = False
    for argument in arguments:
        is_pair = "=" in argument and not argument.startswith("-")
        if inside and is_pair and joined[-1] not in _TAKES_PAIRS:
            joined[-1] += f" {argument}"
            continue
        inside = argument in _TAKES_PAIRS or (inside and is_pair)
        joined.append(argument)
    return joined
