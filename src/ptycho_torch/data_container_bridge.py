"""Grouped data as tensors, from the older package's `RawData`."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ptycho.raw_data import RawData


@dataclass(frozen=True)
class PtychoDataContainerTorch:
    """Groups of patterns as tensors."""

    X: torch.Tensor
    """(B, N, N, C) float32 normalised amplitudes."""
    local_offsets: torch.Tensor
    """(B, 1, 2, C) float64 (x, y), minus the positions from the group's centre, in pixels."""
    global_offsets: torch.Tensor
    """(B, 1, 2, 1) float64 (x, y) of the group's centre, in pixels of the object."""
    probe: torch.Tensor
    """(P, N, N) complex64."""
    Y: torch.Tensor | None
    """(B, N, N, C) complex64 true patches, where the object is known."""
    nn_indices: torch.Tensor
    """(B, C) int64 pattern numbers."""

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.X)


def create_container_from_raw(raw: RawData, config: Any) -> PtychoDataContainerTorch:
    """Group what was measured.

    Args:
        raw: Patterns, positions, probe.
        config: A `TrainingConfig` or `InferenceConfig` of `ptycho.config.config`; without a number
            of groups there is one around each pattern.

    Raises:
        DataError: The patterns have another side, or a group is larger than the scan.
    """
    grouped = raw.generate_grouped_data(
        config.model.N,
        K=config.neighbor_count,
        nsamples=config.n_groups or config.n_images or len(raw.xcoords),
        gridsize=config.model.gridsize,
    )
    truth = grouped["Y"]
    return PtychoDataContainerTorch(
        X=_tensor(grouped["X_full"]),
        local_offsets=_tensor(grouped["coords_relative"]),
        global_offsets=_tensor(grouped["coords_offsets"]),
        probe=_tensor(raw.probeGuess),
        Y=None if truth is None else _tensor(truth),
        nn_indices=_tensor(grouped["nn_indices"]),
    )


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))
