"""The page for users of the original leaves out no setting, and its names exist."""

import dataclasses
import importlib
import re
import textwrap
from pathlib import Path

from ptycho.config.config import InferenceConfig, ModelConfig, TrainingConfig
from ptychopinn.config import Config
from tests.ptycho.test_usage import USAGE

PAGE = (Path(__file__).parents[2] / "docs" / "original.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading."""
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_usage_stands_there_word_for_word():
    assert textwrap.indent(USAGE, "    ") in PAGE


def test_every_setting_has_a_row():
    told = {name for row in rows("Settings") for name in re.findall("`([^`]+)`", row[0])}
    known = {
        item.name
        for record in (ModelConfig, TrainingConfig, InferenceConfig)
        for item in dataclasses.fields(record)
    }
    assert told >= known - {"model"}
    flags = {"test_data", "output_path", "model_prefix", "nsamples", "K"}
    assert told - known == flags | {"do_stitching", "visualize_probe"}


def test_what_a_setting_becomes_exists():
    found = 0
    for row in rows("Settings"):
        for section, names in re.findall(r"`(\w+)((?:\.\w+)+)`", row[1]):
            value = getattr(Config(), section)
            for name in names.strip(".").split("."):
                value = getattr(value, name)
            found += 1
    assert found > 12


def test_the_names_of_the_table_exist():
    modules = 0
    for row in rows("Python"):
        module = None
        for path in re.findall(r"`([\w.]+)`", row[0]):
            name: str | None = path
            if "." in path:
                module, name = _split(path)
                modules += 1
            assert name is None or hasattr(module, name), row
    assert modules > 12


def _split(path: str):
    """Return the module of a dotted name, and the name in it where there is one."""
    parts = path.split(".")
    try:
        return importlib.import_module(path), None
    except ModuleNotFoundError:
        return importlib.import_module(".".join(parts[:-1])), parts[-1]
