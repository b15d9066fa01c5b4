"""The parsers of all commands: settings become flags, files are checked before they are used."""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import jsonargparse
import yaml
from jsonargparse import ArgumentParser, Namespace, set_parsing_settings

from ptychopinn.cli.flags import expand, short_flags
from ptychopinn.config import Config, IterativeConfig, PretrainingConfig, SimulationConfig
from ptychopinn.errors import ConfigError, did_you_mean

#: Sections that are no part of `Config`.
_APART: dict[str, Any] = {
    kind.section: kind for kind in (IterativeConfig, PretrainingConfig, SimulationConfig)
}
#: Marks an argument that must be given.
REQUIRED = object()


@dataclass(frozen=True)
class Argument:
    """One argument or plain option of a command."""

    flags: tuple[str, ...]
    help: str
    default: Any = REQUIRED
    kind: Any = str
    several: bool = False
    """Whether it takes one or more values."""


@dataclass(frozen=True)
class Command:
    """What a command takes and what its help says."""

    name: str
    summary: str
    description: str
    usage: str
    arguments: tuple[Argument, ...] = ()
    sections: dict[str, Any] = field(default_factory=dict)
    """Settings by section name, as instances that hold the defaults of this command."""

    @property
    def takes_config(self) -> bool:
        """Tell whether ``--config`` makes sense: all sections are those of `Config`."""
        known = {item.name for item in dataclasses.fields(Config)}
        return bool(self.sections) and self.sections.keys() <= known

    @property
    def short_flags(self) -> dict[str, str]:
        """The short flags of the settings."""
        return short_flags({name: type(value) for name, value in self.sections.items()})


class _Parser(ArgumentParser):
    """Answers every mistake with one sentence."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise instead of printing the usage."""
        raise ConfigError(self._sentence(" ".join(message.split()))) from ex

    def _sentence(self, message: str) -> str:
        unknown = re.search(r"[Uu]nrecognized arguments: (\S+)", message)
        if unknown:
            return self._unknown(unknown.group(1).partition("=")[0])
        wrong = re.search(r'[Pp]arser key "([\w.]+)".*Got value: (\S+)', message)
        if wrong:
            return _refusal(wrong.group(1), wrong.group(2)) or message
        return message.removesuffix(".") + "; see --help."

    def _unknown(self, flag: str) -> str:
        if not flag.startswith("-"):
            return f"{flag}: unexpected argument; see --help."
        options = [option.rsplit(".", 1)[-1] for option in self._option_string_actions]
        known = {option.lstrip("-").replace("_", "-") for option in options}
        guess = did_you_mean(flag.lstrip("-"), known)
        nearest = guess.replace("'", "'--", 1) if guess.startswith("did") else "see --help."
        return f"{flag}: unknown flag; {nearest}"


def _refusal(path: str, value: str) -> str | None:
    """Return our own sentence for a value of the wrong type, by the rules of the settings."""
    section, _, rest = path.partition(".")
    kind = _APART.get(section, Config)
    nested: Any = value
    for key in reversed((rest if section in _APART else path).split(".")):
        nested = {key: nested}
    try:
        kind.from_dict(nested)
    except ConfigError as error:
        return f"{error}."
    return None


def build_parser(command: Command) -> ArgumentParser:
    """Build the parser of one command."""
    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    parser = _Parser(
        prog=f"ptychopinn {command.name}",
        usage=command.usage,
        description=command.description,
        epilog=_epilog(command.short_flags),
        print_config="--print-config",
        formatter_class=jsonargparse.DefaultHelpFormatter,
    )
    if command.sections:
        parser.add_argument("--config", action="config", help="YAML file of settings; flags win.")
    for argument in command.arguments:
        parser.add_argument(*argument.flags, **_options(argument))
    for section, default in command.sections.items():
        parser.add_argument(f"--{section}", type=type(default), default=default)
    return parser


def _options(argument: Argument) -> dict[str, Any]:
    if argument.kind is bool:
        return {"help": argument.help, "action": "store_true"}
    options: dict[str, Any] = {"help": argument.help, "type": argument.kind}
    if argument.several:
        options["nargs"] = "+"
    if argument.default is not REQUIRED:
        options["default"] = argument.default
    elif argument.flags[0].startswith("-"):
        options["required"] = True
    return options


def _epilog(table: dict[str, str]) -> str:
    if not table:
        return ""
    return f"Every setting has a short flag, its last word: {', '.join(sorted(table))}."


def parse(command: Command, arguments: Sequence[str]) -> tuple[Namespace, dict[str, Any]]:
    """Parse the arguments of a command.

    Returns:
        The plain arguments, and the settings of all sections as a nested dictionary. ``given`` of
        the arguments holds, nested alike, what flags and ``--config`` say and no default does.

    Raises:
        ConfigError: Something is unknown, missing, or out of bounds.
    """
    parser = build_parser(command)
    expanded = _with_own_sections(expand(arguments, command.short_flags), command)
    parsed = parser.parse_args(expanded)
    values = parsed.as_dict()
    parsed["given"] = parser.parse_args(expanded, defaults=False).as_dict()
    return parsed, {section: _plain(values[section]) for section in command.sections}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value


def _with_own_sections(arguments: Sequence[str], command: Command) -> list[str]:
    """Put in place of a YAML file what it says to this command: a run writes all its settings.

    Files are checked first, whole: our message names the nearest known setting.
    """
    kept, rest = [], iter(arguments)
    for argument in rest:
        flag, sign, value = argument.partition("=")
        if flag != "--config" or not command.takes_config:
            kept.append(argument)
            continue
        path = value if sign else next(rest, "")
        Config.load(path)
        said = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
        own = {section: said[section] for section in said if section in command.sections}
        kept.append(f"--config={yaml.safe_dump(own)}")
    return kept
