"""Curves of a page: where lines, ticks and words stand; the template draws them."""

import json
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

#: Size of the drawing, and of the axes inside it.
WIDTH, HEIGHT = 560.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 14.0, 14.0, 44.0
#: Curves that span more than this factor are drawn on a logarithmic axis.
_LOGARITHMIC_FROM = 20.0
_MOST_POINTS = 600


@dataclass(frozen=True)
class Series:
    """One curve."""

    name: str
    y: np.ndarray
    """(J,), NaN where there is none."""
    style: str = "first"
    """Class of the line: first, second, threshold."""


@dataclass(frozen=True)
class Tick:
    """A number at an axis."""

    place: float
    text: str


class Line(NamedTuple):
    """A curve as it is drawn."""

    name: str
    style: str
    path: str


@dataclass(frozen=True)
class Chart:
    """Everything that a drawing needs, in its own units, y down."""

    name: str
    alt: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    points: str
    """JSON list of {x, said}: what is told when the cursor is at x."""
    marker: Tick | None = None
    """A vertical line with words."""
    box: tuple[float, float, float, float] = (_LEFT, _TOP, WIDTH - _RIGHT, HEIGHT - _BOTTOM)
    """Left, top, right and bottom edge of the axes."""
    size: tuple[float, float] = (WIDTH, HEIGHT)


@dataclass(frozen=True)
class Labels:
    """The words of a chart."""

    name: str
    alt: str
    x: str
    y: str


def make_chart(
    labels: Labels,
    x: np.ndarray,
    series: list[Series],
    *,
    y_range: tuple[float, float] | None = None,
    marker: tuple[float, str] | None = None,
) -> Chart:
    """Lay out curves over common abscissas.

    Args:
        labels: Its words.
        x: (J,) ascending.
        series: Curves with J values each.
        y_range: Lowest and highest ordinate; None = those of the curves, on a logarithmic axis when
            they are positive and span more than a factor of 20.
        marker: Abscissa and words of a vertical line.
    """
    known = np.concatenate([s.y[np.isfinite(s.y)] for s in series])
    across = _Axis.of(float(x.min()), float(x.max()), _LEFT, WIDTH - _RIGHT)
    low, high = y_range or _range(known)
    decades = y_range is None and low > 0 and high > _LOGARITHMIC_FROM * low
    up = _Axis.of(low, high, HEIGHT - _BOTTOM, _TOP, decades=decades)
    return Chart(
        labels.name,
        labels.alt,
        labels.x,
        labels.y,
        tuple(Line(s.name, s.style, _path(across, up, x, s.y)) for s in series),
        across.ticks(6),
        up.ticks(5),
        _points(across, x, series, labels.x),
        None if marker is None else Tick(across.place(marker[0]), marker[1]),
    )


@dataclass(frozen=True)
class _Axis:
    """From values to places, along a straight or a logarithmic axis."""

    low: float
    high: float
    start: float
    end: float
    decades: bool

    @classmethod
    def of(
        cls, low: float, high: float, start: float, end: float, *, decades: bool = False
    ) -> "_Axis":
        if not high > low:
            low, high = low - 0.5, high + 0.5
        return cls(low, high, start, end, decades)

    def place(self, value: float) -> float:
        low, high, at = (
            (math.log(v) for v in (self.low, self.high, value))
            if self.decades
            else (self.low, self.high, value)
        )
        return round(self.start + (at - low) / (high - low) * (self.end - self.start), 2)

    def ticks(self, most: int) -> tuple[Tick, ...]:
        values = _decade_ticks(self.low, self.high) if self.decades else []
        if len(values) < 2:
            values = _round_ticks(self.low, self.high, most)
        return tuple(Tick(self.place(value), f"{value:.4g}") for value in values)


def _range(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if low > 0 and high > _LOGARITHMIC_FROM * low:
        return low / 1.1, high * 1.1
    margin = 0.06 * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin


def _round_ticks(low: float, high: float, most: int) -> list[float]:
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(digit * power for digit in (1, 2, 2.5, 5, 10) if digit * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _decade_ticks(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    digits = (1, 2, 5) if len(powers) < 4 else (1,)
    values = [digit * 10.0**power for power in powers for digit in digits]
    return [value for value in values if low <= value <= high]


def _path(across: _Axis, up: _Axis, x: np.ndarray, y: np.ndarray) -> str:
    """Return the commands of an SVG path, lifted where there is no value."""
    said, drawing = [], False
    step = max(1, len(x) // _MOST_POINTS)
    for at, value in zip(x[::step].tolist(), y[::step].tolist(), strict=True):
        if not math.isfinite(value) or (up.decades and value <= 0):
            drawing = False
            continue
        cut = min(max(value, up.low), up.high)
        said.append(f"{'L' if drawing else 'M'}{across.place(at):.1f} {up.place(cut):.1f}")
        drawing = True
    return "".join(said)


def _points(across: _Axis, x: np.ndarray, series: list[Series], x_label: str) -> str:
    step = max(1, len(x) // _MOST_POINTS)
    rows = []
    for i in range(0, len(x), step):
        values = ", ".join(f"{s.name} {s.y[i]:.4g}" for s in series if math.isfinite(s.y[i]))
        rows.append({"x": across.place(float(x[i])), "said": f"{x_label} {x[i]:.4g}: {values}"})
    return json.dumps(rows)
