"""Values of flags and YAML files as the types of the settings that they are for."""

import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from ptychopinn.errors import ConfigError

_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_WANTED = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a word",
    Path: "the name of a file or folder",
}


def typed(name: str, value: Any, hint: Any) -> Any:
    """Return a value as the type of its setting.

    Flags are text, and so is much in a YAML file: ``1e-4`` without a point is text to YAML 1.1.

    Args:
        name: The setting, for messages.
        value: Text, or what YAML made of it.
        hint: ``bool``, ``int``, ``float``, ``str`` or ``Path``, or one of them or None.

    Raises:
        ConfigError: The value is not of that type.
    """
    kind, may_be_none = _kind(name, hint)
    if value is None and may_be_none:
        return None
    made = _READERS[kind](value)
    if made is None:
        raise ConfigError(f"{name}: expected {_WANTED[kind]}, got {value!r}.")
    return made


def _kind(name: str, hint: Any) -> tuple[type, bool]:
    """Return the type that a setting has, and whether it may be None."""
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    kinds = [option for option in options if option is not type(None)]
    if len(kinds) != 1 or kinds[0] not in _WANTED:
        raise TypeError(f"{name}: {hint} is no type of a flag.")
    return kinds[0], len(options) > 1


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else _TRUTHS.get(str(value).lower())


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _whole_number(value: Any) -> int | None:
    number = _number(value)
    if isinstance(value, int) and number is not None:
        return value  # a float would not hold all of its digits
    return int(number) if number is not None and number.is_integer() else None


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _path(value: Any) -> Path | None:
    return Path(value) if isinstance(value, str | Path) and str(value) else None


_READERS: dict[type, Any] = {
    bool: _truth,
    int: _whole_number,
    float: _number,
    str: _word,
    Path: _path,
}
