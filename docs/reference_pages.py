"""Writes the reference pages from the source before the site is built: nothing to keep in step."""

import dataclasses
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from docstring_parser import parse_from_object

import ptychopinn
from ptychopinn.cli.commands import COMMANDS
from ptychopinn.cli.flags import short_flags
from ptychopinn.cli.parser import REQUIRED, Argument, Command
from ptychopinn.config import Config, PretrainingConfig, SimulationConfig

FOLDER = Path(__file__).parent / "reference"
#: Sections of the settings: those of a run, and two that stand alone.
SECTIONS = {
    **{name: kind for name, kind in get_type_hints(Config).items() if name != "section"},
    "simulation": SimulationConfig,
    "pretraining": PretrainingConfig,
}
_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def on_pre_build(config: Any) -> None:  # noqa: ARG001
    """Write the pages; MkDocs calls it."""
    FOLDER.mkdir(exist_ok=True)
    pages = {"configuration": configuration(), "commands": commands(), "python": python()}
    for name, text in pages.items():
        place = FOLDER / f"{name}.md"
        if not place.exists() or place.read_text(encoding="utf-8") != text:
            place.write_text(text, encoding="utf-8")


def configuration() -> str:
    """Return the page of all settings."""
    lines = [
        "# Configuration",
        "",
        "Every setting, its default and bounds, from the source. The short flag is shown; "
        "`--section.name VALUE` always works. In a file settings are YAML, as `--print-config` "
        "writes them, read back with `--config FILE`; in Python frozen dataclasses of "
        "`ptychopinn.config`. `none` leaves a setting to the program.",
    ]
    for name, kind in SECTIONS.items():
        lines += _section(name, kind)
    return "\n".join(lines) + "\n"


def _section(name: str, kind: type) -> list[str]:
    told = parse_from_object(kind)
    said = {item.arg_name: " ".join((item.description or "").split()) for item in told.params}
    hints = get_type_hints(kind)
    short = {long: flag for flag, long in short_flags({name: kind}).items()}
    lines = ["", f"## {name}", "", told.short_description or "", ""]
    lines += ["| setting | default | values | what it does |", "|---|---|---|---|"]
    nested = []
    for item in dataclasses.fields(kind):
        hint = hints[item.name]
        if dataclasses.is_dataclass(hint):
            nested.append((f"{name}.{item.name}", hint))
            continue
        flag = short.get(f"--{name}.{item.name}", f"--{name}.{item.name}")
        cells = (f"`{flag}`", f"`{_value(item.default)}`", _values(hint, item.metadata))
        lines.append(_row(*cells, said.get(item.name, "")))
    for path, inner in nested:
        lines += [line.replace("## ", "### ", 1) for line in _section(path, inner)]
    return lines


def _value(value: Any) -> str:
    text = str(value)
    return text.lower() if value is None or isinstance(value, bool) else text


def _values(hint: Any, bounds: Any) -> str:
    parts = (hint, *get_args(hint))
    words = [word for part in parts if get_origin(part) is Literal for word in get_args(part)]
    known = {key: sign for key, sign in _SIGNS.items() if bounds.get(key) is not None}
    limits = [f"{sign} {bounds[key]:g}" for key, sign in known.items()]
    kinds = [part.__name__ for part in parts if part in (int, float, bool, str)]
    return ", ".join(f"`{word}`" for word in words) or " ".join([*dict.fromkeys(kinds), *limits])


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def commands() -> str:
    """Return the page of all commands."""
    lines = ["# Commands", "", "`ptychopinn COMMAND --help` says the same on the terminal."]
    for command in COMMANDS.values():
        lines += _command(command)
    return "\n".join(lines) + "\n"


def _command(command: Command) -> list[str]:
    lines = ["", f"## {command.name}", "", command.description, ""]
    lines += ["```text", command.usage, "```", ""]
    lines += [_argument(argument) for argument in command.arguments]
    if command.sections:
        links = [f"[{n}](configuration.md#{n})" for n in command.sections if n in SECTIONS]
        lines += ["", f"Settings: {', '.join(links)}."] if links else []
    return lines


def _argument(argument: Argument) -> str:
    default = ""
    if argument.default not in (REQUIRED, None):
        default = f" (default `{_value(argument.default)}`)"
    return f"- `{', '.join(argument.flags)}`: {argument.help}{default}"


def python() -> str:
    """Return the page of the public names."""
    lines = ["# Python", "", "What `import ptychopinn` offers; imported when it is first used."]
    for name in sorted(dir(ptychopinn), key=lambda name: (name[0].isupper(), name.lower())):
        made = getattr(ptychopinn, name)
        lines += ["", f"::: {made.__module__}.{made.__qualname__}"]
    return "\n".join(lines) + "\n"
