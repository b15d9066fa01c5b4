"""The parsers of all commands: settings become flags, files are checked before they are used."""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import jsonargparse
from jsonargparse import ArgumentParser, Namespace, set_parsing_settings

from ptychopinn.cli.flags import expand, short_flags
from ptychopinn.cli.settings_files import APART, files_replaced
from ptychopinn.config import Config
from ptychopinn.errors import ConfigError, did_you_mean

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

    of_weights: tuple[str, ...] = ()
    """Sections that weights bring along: what nobody set is theirs, whatever the default."""

    @property
    def short_flags(self) -> dict[str, str]:
        """The short flags of the settings."""
        return short_flags({name: type(value) for name, value in self.sections.items()})


class _Parser(ArgumentParser):
    """Answers every mistake with one sentence, and prints settings that it reads again."""

    command: Command

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise instead of printing the usage."""
        raise ConfigError(self._sentence(" ".join(message.split()))) from ex

    def dump(self, cfg: Namespace, **options: Any) -> str:
        """Return the settings as YAML: what ``--config`` takes, and no file names of this run."""
        settings = {}
        for section, default in self.command.sections.items():
            settings[section] = _plain(cfg[section])
            if section in self.command.of_weights:
                settings[section] = _changed(settings[section], _plain(default))
        kept = Namespace({name: value for name, value in settings.items() if value})
        return str(super().dump(kept, **options))

    def _sentence(self, message: str) -> str:
        unknown = re.search(r"[Uu]nrecognized arguments: (\S+)", message)
        if unknown:
            return self._unknown(unknown.group(1).partition("=")[0])
        wrong = re.search(r'[Pp]arser key "([\w.]+)".*G(?:ot|iven) value: (.+)', message)
        if wrong:
            return self._wrong(wrong.group(1), wrong.group(2)) or message
        return message.removesuffix(".") + "; see --help."

    def _wrong(self, path: str, value: str) -> str | None:
        """Return our own sentence for a value of the wrong type."""
        if path.partition(".")[0] in self.command.sections:
            return _refusal(path, value)
        argument = next(a for a in self.command.arguments if a.flags[-1].lstrip("-") == path)
        return (
            f"{argument.flags[-1]}: expected {argument.kind.__name__}, got {value!r}; see --help."
        )

    def _unknown(self, flag: str) -> str:
        if not flag.startswith("-"):
            return f"{flag}: unexpected argument; see --help."
        options = [option.rsplit(".", 1)[-1] for option in self._option_string_actions]
        known = {option.lstrip("-").replace("_", "-") for option in options}
        guess = did_you_mean(flag.lstrip("-"), known)
        nearest = guess.replace("'", "'--", 1) if guess.startswith("did") else "see --help."
        return f"{flag}: unknown flag; {nearest}"


def _refusal(path: str, value: str) -> str | None:
    """Return our own sentence for a setting of the wrong type, by the rules of the settings."""
    section, _, rest = path.partition(".")
    nested: Any = value
    for key in reversed((rest if section in APART else path).split(".")):
        nested = {key: nested}
    try:
        APART.get(section, Config).from_dict(nested)
    except ConfigError as error:
        said = str(error)
        return said if said.endswith(("?", ".")) else f"{said}."
    return None


def _changed(values: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """Return, nested as they are, the values that are not the default."""
    found = {}
    for name, value in values.items():
        inner = _changed(value, default[name]) if isinstance(value, dict) else value
        if inner != ({} if isinstance(value, dict) else default[name]):
            found[name] = inner
    return found


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
        allow_abbrev=False,
    )
    parser.command = command
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
    kinds = {section: type(default) for section, default in command.sections.items()}
    expanded = files_replaced(expand(arguments, command.short_flags), kinds)
    parsed = parser.parse_args(expanded)
    values = parsed.as_dict()
    parsed["given"] = parser.parse_args(expanded, defaults=False).as_dict()
    return parsed, {section: _plain(values[section]) for section in command.sections}


def _plain(value: Any) -> Any:
    if isinstance(value, Namespace):
        return value.as_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value
