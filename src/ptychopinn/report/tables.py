"""Figures of merit as a table for the terminal."""

import math
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

_ACRONYMS = {"mae", "mse", "rmse", "nrmse", "psnr", "ssim", "frc"}
_WHOLE_NAMES = {"cycles_per_px": "frequency (cycles/px)"}
#: Longest endings first. Metres are written beside each value, scaled, and not after the name.
_ENDINGS = {"_rad_per_px": " (rad/px)", "_rad": " (rad)", "_db": " (dB)", "_px": " (px)", "_m": ""}
_LENGTHS = ((1.0, "m"), (1e-3, "mm"), (1e-6, "µm"), (1e-9, "nm"), (1e-12, "pm"))
#: Longer lists are curves.
_LONGEST_LIST = 6
_NOTHING = "-"


@dataclass(frozen=True)
class _Block:
    """Rows under one heading."""

    heading: tuple[str, ...]
    """Name of the section, then names of columns; empty where there is only one."""
    rows: tuple[tuple[str, ...], ...]
    """Name of a figure, then a value for each column."""


def metrics_table(metrics: dict[str, Any]) -> Table:
    """Return nested figures as one table: a block for each section.

    Sections that hold the same figures for several things, such as amplitude and phase, become
    columns beside each other. Units are read from the ends of names (``_db``, ``_px``, ``_m``).
    Lists of more than 6 numbers (curves) and empty texts are left out; None and NaN are a dash.

    Args:
        metrics: Plain values, nested to any depth, such as `Comparison.to_dict()`.

    Tested: tests/report/test_tables.py.
    """
    blocks = _blocks((), metrics)
    width = max((len(row) for block in blocks for row in block.rows), default=2)
    table = Table(show_header=False, pad_edge=False)
    table.add_column(overflow="fold")
    for _ in range(width - 1):
        table.add_column(overflow="fold")
    for block in blocks:
        table.add_section()
        if any(block.heading):
            _add_row(table, block.heading, "bold")
        for row in block.rows:
            _add_row(table, row, "")
    if not blocks:
        _add_row(table, ("no figures",), "")
    return table


def readable_name(name: str) -> str:
    """Return a key as words with its unit, ``psnr_db`` as ``PSNR (dB)``."""
    if name in _WHOLE_NAMES:
        return _WHOLE_NAMES[name]
    unit = ""
    for ending, words in _ENDINGS.items():
        if name.endswith(ending):
            name, unit = name.removesuffix(ending), words
            break
    spoken = [word.upper() if word in _ACRONYMS else word for word in name.split("_")]
    return " ".join(spoken).replace("ms SSIM", "MS-SSIM") + unit


def readable_value(name: str, value: Any) -> str:
    """Return a value with four digits; metres in the unit that suits them."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "(" + ", ".join(readable_value(name, entry) for entry in value) + ")"
    if isinstance(value, float) and name.endswith("_m"):
        return _length(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _length(metres: float) -> str:
    scale, unit = next((pair for pair in _LENGTHS if pair[0] <= abs(metres)), _LENGTHS[-1])
    if metres == 0 or math.isinf(metres):
        scale, unit = _LENGTHS[0]
    return f"{metres / scale:.4g} {unit}"


def _blocks(path: tuple[str, ...], section: dict[str, Any]) -> list[_Block]:
    """Return the blocks of a section: its own figures, those of its columns, then the rest."""
    title = ": ".join(readable_name(name) for name in path)
    sections = {key: value for key, value in section.items() if isinstance(value, dict)}
    figures = {key: value for key, value in section.items() if _is_figure(value)}
    beside = _columns(sections)
    blocks = []
    if figures:
        rows = tuple((readable_name(key), readable_value(key, figures[key])) for key in figures)
        blocks.append(_Block((title,), rows))
    if beside:
        names = tuple(readable_name(key) for key in beside)
        blocks.append(_Block(("" if figures else title, *names), _rows_beside(beside)))
    for key, value in sections.items():
        if key not in beside:
            blocks += _blocks((*path, key), value)
    return blocks


def _is_figure(value: Any) -> bool:
    """Tell what fits into a cell from sections, curves and empty texts."""
    if isinstance(value, list | tuple):
        return 0 < len(value) <= _LONGEST_LIST and all(
            _is_figure(entry) and not isinstance(entry, list | tuple) for entry in value
        )
    return not isinstance(value, dict) and value != ""


def _columns(sections: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return those sections that hold figures only, when they have at least one in common."""
    flat = {
        key: value
        for key, value in sections.items()
        if value and all(_is_figure(entry) for entry in value.values())
    }
    common = set.intersection(*(set(value) for value in flat.values())) if flat else set()
    return flat if len(flat) > 1 and common else {}


def _rows_beside(columns: dict[str, dict[str, Any]]) -> tuple[tuple[str, ...], ...]:
    keys = dict.fromkeys(key for values in columns.values() for key in values)
    return tuple(
        (readable_name(key), *(_cell(values, key) for values in columns.values())) for key in keys
    )


def _cell(values: dict[str, Any], key: str) -> str:
    return readable_value(key, values[key]) if key in values else ""


def _add_row(table: Table, cells: tuple[str, ...], style: str) -> None:
    """Add cells as plain text: a file name in square brackets is not markup."""
    table.add_row(*(Text(cell, style=style) for cell in cells))
