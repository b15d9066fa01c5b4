"""Grouped data as the container that the model reads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ptychopinn.errors import ConfigError
from ptychopinn.scan import Scan

#: Keys of grouped data with one row for each group.
_ROWS = (
    *("diffraction", "X_full", "coords_offsets", "coords_relative", "nn_indices", "Y"),
    "canvas_positions",
)


class GroupedPatterns(np.ndarray):
    """(B, N, N, C) amplitudes that remember which patterns of which scan they are.

    The model reconstructs the scan as a whole, because overlap is what makes an image unique; the
    groups alone would not tell it what overlaps. Arithmetic keeps the memory.
    """

    scan: Scan | None
    members: np.ndarray | None
    positions_px: np.ndarray | None

    @classmethod
    def of(cls, dataset: dict[str, Any]) -> "GroupedPatterns":
        """Take what `ptycho.grouped_data.lay_out` made."""
        made = np.asarray(dataset["X_full"]).view(cls)
        made.scan, made.members = dataset["scan"], dataset["nn_indices"]
        made.positions_px = dataset["canvas_positions"]
        return made

    def __array_finalize__(self, source: Any) -> None:
        for name in ("scan", "members", "positions_px"):
            setattr(self, name, getattr(source, name, None))


@dataclass(frozen=True)
class PtychoDataContainer:
    """Groups of patterns, ready for the model."""

    X: np.ndarray
    """(B, N, N, C) normalised amplitudes."""
    local_offsets: np.ndarray
    """(B, 1, 2, C) float64 (x, y), minus the positions from the group's centre, in pixels."""
    global_offsets: np.ndarray
    """(B, 1, 2, 1) float64 (x, y) of the group's centre, in pixels of the object."""
    probe: np.ndarray
    """(P, N, N) complex."""
    Y: np.ndarray | None
    """(B, N, N, C) complex64 true patches, where the object is known."""
    nn_indices: np.ndarray
    """(B, C) pattern numbers."""

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.X)


def load(
    cb: Callable[[], Any],
    probeGuess: np.ndarray,
    which: Literal["train", "test"] | None = None,
    create_split: bool = False,
) -> PtychoDataContainer:
    """Turn grouped data into a container.

    Args:
        cb: Returns what `RawData.generate_grouped_data` made; with `create_split`, that and the
            share of its groups, from the first, that is for training.
        probeGuess: Complex probe.
        which: With `create_split`: the part that is wanted, ``train`` or ``test``.
        create_split: Whether the data are cut into two parts.

    Raises:
        ConfigError: A part is wanted that is neither ``train`` nor ``test``.
    """
    dataset = cb()
    if create_split:
        dataset, share = dataset
        dataset = _part(dataset, share, which)
    return PtychoDataContainer(
        X=GroupedPatterns.of(dataset),
        local_offsets=dataset["coords_relative"],
        global_offsets=dataset["coords_offsets"],
        probe=np.asarray(probeGuess),
        Y=dataset["Y"],
        nn_indices=dataset["nn_indices"],
    )


def _part(dataset: dict[str, Any], share: float, which: str | None) -> dict[str, Any]:
    if which not in ("train", "test"):
        raise ConfigError(f"which: expected 'train' or 'test' with create_split, got {which!r}.")
    cut = int(share * len(dataset["X_full"]))
    rows = slice(None, cut) if which == "train" else slice(cut, None)
    parts = {key: dataset[key][rows] for key in _ROWS if dataset[key] is not None}
    return {**dataset, **parts}
