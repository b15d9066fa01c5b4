"""Groups of patterns as a torch data set that reads from disk as it goes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset

from ptychopinn.data.grouping import Groups
from ptychopinn.errors import DataError
from ptychopinn.scan import PatternBatch, Scan


class GroupSample(NamedTuple):
    """One group, in the frame of a small canvas of its own."""

    counts: np.ndarray
    """(C, N, N) float32 photons."""
    corners: np.ndarray
    """(C, 2) int64 first pixels of the windows."""
    fractions: np.ndarray
    """(C, 2) float32 sub-pixel parts."""
    members: np.ndarray
    """(C,) int64 numbers of the patterns in the scan of the data set."""
    truth: np.ndarray | None = None
    """(side, side) complex64 true object on the group's canvas, when it was asked for."""


class GroupDataset(Dataset):
    """The groups of one scan; a sample reads its C patterns from wherever the scan keeps them.

    Args:
        scan: In the gauge of the package; its patterns may be memory-mapped.
        groups: Which patterns belong together.
        with_truth: Cut the true object of every group as well; the scan must have one.
    """

    def __init__(self, scan: Scan, groups: Groups, *, with_truth: bool = False) -> None:
        self.scan = scan
        self.groups = groups
        self.with_truth = with_truth
        side = scan.n + groups.extent_px
        self.canvas_shape = (side, side)

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.groups)

    def __getitem__(self, index: int) -> GroupSample:
        """Read one group."""
        members = self.groups.indices[index]
        positions = self.scan.positions_px[members]
        whole = np.floor(positions)
        origin = whole.min(axis=0)
        return GroupSample(
            self._counts(members),
            (whole - origin).astype(np.int64),
            (positions - whole).astype(np.float32),
            members,
            self._truth(origin.astype(np.int64) - self.scan.n // 2) if self.with_truth else None,
        )

    def _truth(self, start: np.ndarray) -> np.ndarray:
        """Cut the group's canvas, whose first pixel is (y, x), out of the true object."""
        if self.scan.truth is None:
            raise DataError(f"{self.scan.name}: the true object was asked for, the scan has none.")
        known = self.scan.truth[tuple(slice(s, s + self.canvas_shape[0]) for s in start)]
        canvas = np.zeros(self.canvas_shape, dtype=np.complex64)
        canvas[: known.shape[0], : known.shape[1]] = known
        return canvas

    def _counts(self, members: np.ndarray) -> np.ndarray:
        """Read patterns in the order of the file, which disks prefer, and return them as asked."""
        order = np.argsort(members)
        counts = np.empty((len(members), self.scan.n, self.scan.n), dtype=np.float32)
        counts[order] = self.scan.counts(members[order])
        return counts


class GroupCollate:
    """Stack groups of one scan into a `PatternBatch`; picklable, for worker processes."""

    def __init__(self, scan: Scan, canvas_shape: tuple[int, int]) -> None:
        self.probe = torch.from_numpy(scan.probe)
        self.mask = torch.from_numpy(scan.mask.astype(np.float32))
        self.canvas_shape = canvas_shape

    def __call__(self, samples: Sequence[GroupSample]) -> PatternBatch:
        """Return the batch."""
        truths = [sample.truth for sample in samples if sample.truth is not None]
        return PatternBatch(
            counts=torch.from_numpy(np.stack([sample.counts for sample in samples])),
            corners=torch.from_numpy(np.stack([sample.corners for sample in samples])),
            fractions=torch.from_numpy(np.stack([sample.fractions for sample in samples])),
            probe=self.probe,
            mask=self.mask,
            canvas_shape=self.canvas_shape,
            truth=torch.from_numpy(np.stack(truths)) if truths else None,
            members=torch.from_numpy(np.stack([sample.members for sample in samples])),
        )


def collate_groups(dataset: GroupDataset) -> GroupCollate:
    """Return the collate function that fits a data set."""
    return GroupCollate(dataset.scan, dataset.canvas_shape)
