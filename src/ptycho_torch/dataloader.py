"""Groups of patterns as a torch data set whose patterns stay on disk."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ptycho_torch.config_params import DataConfig
from ptycho_torch.datamodule import InTurn, ScansDataModule
from ptycho_torch.scans import require_size
from ptychopinn.config import PhysicsConfig
from ptychopinn.data import GroupDataset, group_patterns, normalise
from ptychopinn.io import read_scan
from ptychopinn.scan import Scan

__all__ = ["Batch", "InTurn", "PtychoDataset", "ScansDataModule", "lightning_loader"]

Batch = tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]


class PtychoDataset(Dataset):
    """The groups of a scan under the original names.

    A sample is a group's dictionary of tensors; a batch, `collate`, is that, the probe and the
    scaling:

    ``images`` (B, C, N, N) float32 amplitudes; ``coords_relative`` (B, C, 1, 2) float32 (x, y),
    minus the positions from the group's centre pattern; ``coords_center`` (B, 1, 1, 2) float32
    (x, y) of that pattern; ``nn_indices`` (B, C) int64. Probe (P, N, N) complex64 in sqrt(photons)
    per pixel. Scaling (B, 1, 1, 1) float32: amplitudes times this have a mean power of (N/2)^2.

    Args:
        path: A scan of any known format; an uncompressed NPZ is mapped, not read.
        config: N, C, K and the number of groups around each pattern.

    Raises:
        DataError: The scan cannot be read, or has another N.
    """

    def __init__(self, path: str | Path, config: DataConfig) -> None:
        measured = normalise(read_scan(path), PhysicsConfig())
        self.scan: Scan = measured.scan
        require_size(self.scan, config.N)
        groups = group_patterns(
            self.scan.positions_px,
            config.C,
            config.n_subsample * self.scan.n_patterns,
            neighbours=config.K,
            scan_index=self.scan.scan_index,
            rng=np.random.default_rng(config.subsample_seed or 0),
        )
        self.groups = GroupDataset(self.scan, groups)
        self.scaling = config.N / 2 / measured.pattern_counts**0.5

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.groups)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Read one group."""
        members = self.groups.groups.indices[index]
        xy = self.scan.positions_px[members][:, ::-1].astype(np.float32)
        return {
            "images": torch.from_numpy(np.sqrt(self.groups[index].counts)),
            "coords_relative": torch.from_numpy(-(xy - xy[0]))[:, None],
            "coords_center": torch.from_numpy(xy[:1].copy())[:, None],
            "nn_indices": torch.from_numpy(members),
        }

    def collate(self, samples: Sequence[dict[str, torch.Tensor]]) -> Batch:
        """Return the batch of some groups."""
        tensors = {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}
        scaling = torch.full((len(samples), 1, 1, 1), self.scaling)
        return tensors, torch.from_numpy(self.scan.probe), scaling


def lightning_loader(
    dataset: PtychoDataset, batch_size: int = 16, *, shuffle: bool = True, num_workers: int = 0
) -> DataLoader:
    """Return a loader for `lightning.Trainer` whose batches are those of the data set."""
    return DataLoader(
        dataset,
        batch_size=batch_size,
        shuffle=shuffle,
        num_workers=num_workers,
        collate_fn=dataset.collate,
    )
