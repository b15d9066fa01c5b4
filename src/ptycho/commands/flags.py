"""The flags of the original's scripts: one for each setting of a record, under the same name."""

import argparse
import dataclasses
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml
from docstring_parser import parse_from_object

from ptycho.commands.typed_values import typed
from ptycho.config.config import InferenceConfig, ModelConfig, TrainingConfig
from ptychopinn.cli.main import quieten_lightning
from ptychopinn.errors import REFUSED, ConfigError, DataError, PtychoError

Record = TypeVar("Record", TrainingConfig, InferenceConfig)


class _Parser(argparse.ArgumentParser):
    """Answers every mistake with one sentence."""

    def error(self, message: str) -> Any:
        """Raise instead of printing the usage."""
        raise ConfigError(f"{message}; see {self.prog} --help.")


def parser_of(record: type[Any], program: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with the flags of a record and of the model in it, and ``--config``.

    A flag that is not given leaves no trace, so that the file of ``--config`` may give it.
    """
    parser = _Parser(
        prog=program,
        description=description,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.add_argument("--config", metavar="FILE", help="YAML file of the settings below.")
    for owner in (record, ModelConfig):
        hints = get_type_hints(owner)
        said = {one.arg_name: one.description or "" for one in parse_from_object(owner).params}
        for item in dataclasses.fields(owner):
            if item.name != "model":
                _add_flag(parser, item, hints[item.name], said[item.name])
    return parser


def _add_flag(
    parser: argparse.ArgumentParser, item: dataclasses.Field, hint: Any, said: str
) -> None:
    dashed = f"--{item.name.replace('_', '-')}"
    names = list(dict.fromkeys((f"--{item.name}", dashed)))
    default = None if item.default is dataclasses.MISSING else item.default
    note = f"{' '.join(said.split())} (default: {default})".replace("%", "%%")
    # A switch alone switches on, as in the original; a word may follow.
    alone: dict[str, Any] = {"nargs": "?", "const": True} if hint is bool else {}
    parser.add_argument(*names, dest=item.name, help=note, **alone)


def record_of(record: type[Record], values: dict[str, Any]) -> Record:
    """Return the record of flags, over those of the file that ``config`` names, over defaults.

    Raises:
        ConfigError: A setting is not known (the nearest known one is named), or has a value of
            another type.
        DataError: The file cannot be read.
    """
    flags = dict(values)
    wanted = {**_from_file(flags.pop("config", None)), **flags}
    of_model = {item.name for item in dataclasses.fields(ModelConfig)}
    model = {name: wanted.pop(name) for name in of_model & wanted.keys()}
    return record(model=ModelConfig(**_typed(ModelConfig, model)), **_typed(record, wanted))


def _typed(record: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    """Return values as the types of a record; what the record does not know stays as it is."""
    hints = get_type_hints(record)
    return {
        name: typed(name, value, hints[name]) if name in hints else value
        for name, value in values.items()
    }


def _from_file(path: str | None) -> dict[str, Any]:
    """Return the settings of a YAML file; those of a section ``model`` stand beside the others."""
    if path is None:
        return {}
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected named settings, got {type(values).__name__}.")
    section = values.pop("model", {})
    return {**values, **(section if isinstance(section, dict) else {})}


def answered(work: Callable[[Sequence[str]], None], arguments: Sequence[str] | None) -> int:
    """Run a command; a mistake is one sentence and exit code 2."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("ptychopinn").setLevel(logging.INFO)
    quieten_lightning()
    try:
        work(sys.argv[1:] if arguments is None else arguments)
    except PtychoError as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)  # noqa: T201 - a command
        return REFUSED
    return 0
