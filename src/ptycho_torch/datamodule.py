"""Training batches of one scan or several, for Lightning."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import lightning

from ptychopinn.config import Config
from ptychopinn.data.datamodule import ScanDataModule
from ptychopinn.errors import DataError
from ptychopinn.scan import Scan


class InTurn:
    """Batches of several loaders, one of each after the other until all are empty.

    Args:
        loaders: Loaders of scans; a batch never mixes two scans, whose probes differ.
    """

    def __init__(self, loaders: list[Any]) -> None:
        self.loaders = loaders
        # Lightning looks at both; the first is told the epoch.
        self.sampler, self.batch_sampler = self, None

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next; the trainer calls it."""
        for loader in self.loaders:
            if hasattr(loader.sampler, "set_epoch"):
                loader.sampler.set_epoch(epoch)

    def __len__(self) -> int:
        """Return the number of batches."""
        return sum(len(loader) for loader in self.loaders)

    def __iter__(self) -> Iterator[Any]:
        """Yield batches."""
        for turn in zip_longest(*self.loaders):
            yield from (batch for batch in turn if batch is not None)


class ScansDataModule(lightning.LightningDataModule):
    """Groups of all scans, each with at least one group for validation.

    Args:
        scans: In the gauge of the package, all of one pattern size.
        configs: The settings of each, which differ in the region.
    """

    def __init__(self, scans: list[Scan], configs: list[Config]) -> None:
        super().__init__()
        self.parts = [_part(scan, config) for scan, config in zip(scans, configs, strict=True)]

    def train_dataloader(self) -> InTurn:
        """Return random batches, the same for the same epoch and seed."""
        return InTurn([part.train_dataloader() for part in self.parts])

    def val_dataloader(self) -> InTurn:
        """Return the validation groups in order."""
        return InTurn([part.val_dataloader() for part in self.parts])


def _part(scan: Scan, config: Config) -> ScanDataModule:
    """Return the groups of one scan, of which one at least judges the others."""
    size = config.data.group_size or 1
    made = ScanDataModule(scan, config, size)
    if made.validation_groups is not None:
        return made
    count = len(made.indices)
    if count < 2:
        raise DataError(
            f"{scan.name}: found {count} pattern to draw groups around, wanted two at least, one "
            "of them for validation; widen the bounds or lower the number of channels."
        )
    return ScanDataModule(
        scan, replace(config, data=replace(config.data, validation_fraction=1 / count)), size
    )
