"""The rectangle in which two images are compared, as a user writes it."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from ptychopinn.errors import ConfigError

_FORMS = "all, y:250:400, x:90:390 or y:250:400,x:90:390 (canvas px, the end is not included)"

_Span = tuple[int, int | None]


@dataclass(frozen=True)
class Region:
    """A rectangle of canvas pixels; an end of None is the end of the canvas."""

    y: tuple[int, int | None] = (0, None)
    """Rows, first included, last not included."""
    x: tuple[int, int | None] = (0, None)
    """Columns, first included, last not included."""

    def __post_init__(self) -> None:
        """Refuse spans that hold no pixel."""
        for axis, (start, stop) in (("y", self.y), ("x", self.x)):
            if start < 0 or (stop is not None and stop <= start):
                raise ConfigError(
                    f"region: {axis}:{start}:{'' if stop is None else stop} holds no pixel; wanted "
                    "0 <= start < end."
                )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``all`` or a box such as ``y:250:400,x:90:390``.

        Either axis may be left out (all of it), and so may either bound (``y:250:``).

        Raises:
            ConfigError: Another axis, the same axis twice, bounds that are no whole numbers or
                negative, or an empty span.
        """
        if text.strip() == "all":
            return cls()
        spans: dict[str, _Span] = {}
        for part in text.split(","):
            axis, span = _parse_span(part.strip(), text)
            if axis in spans:
                raise ConfigError(f"region: '{text}' gives {axis} twice; write it once.")
            spans[axis] = span
        return cls(**spans)

    def slices(self, shape: tuple[int, int]) -> tuple[slice, slice]:
        """Return the slices (y, x) of this region on a canvas of (H, W) pixels.

        Raises:
            ConfigError: The region reaches beyond the canvas.
        """
        return _slice("y", self.y, shape[0]), _slice("x", self.x, shape[1])

    def mask(self, shape: tuple[int, int]) -> np.ndarray:
        """Return (H, W) bool, True inside."""
        inside = np.zeros(shape, dtype=bool)
        inside[self.slices(shape)] = True
        return inside

    def __str__(self) -> str:
        """Write the region as `parse` reads it."""
        parts = [
            f"{axis}:{start}:{'' if stop is None else stop}"
            for axis, (start, stop) in (("y", self.y), ("x", self.x))
            if (start, stop) != (0, None)
        ]
        return ",".join(parts) or "all"


def _parse_span(part: str, text: str) -> tuple[str, _Span]:
    pieces = [piece.strip() for piece in part.split(":")]
    if len(pieces) != 3 or pieces[0] not in ("y", "x"):
        raise ConfigError(f"region: '{part}' in '{text}' is not understood; write {_FORMS}.")
    axis, first, last = pieces
    start = _bound(first, text) or 0
    return axis, (start, _bound(last, text))


def _bound(piece: str, text: str) -> int | None:
    if not piece:
        return None
    if not (piece.isascii() and piece.isdigit()):
        raise ConfigError(f"region: '{piece}' in '{text}' is no whole number >= 0; write {_FORMS}.")
    return int(piece)


def _slice(axis: str, span: _Span, size: int) -> slice:
    start, stop = span
    if start >= size or (stop is not None and stop > size):
        raise ConfigError(
            f"region: {axis}:{start}:{'' if stop is None else stop} reaches beyond the canvas, "
            f"which has {size} px along {axis}."
        )
    return slice(start, size if stop is None else stop)
