"""Training and validation batches of one scan, for Lightning."""

from collections.abc import Iterator

import lightning
import numpy as np
from torch.utils.data import DataLoader, Sampler, SequentialSampler

from ptychopinn.config import Config
from ptychopinn.data.dataset import GroupDataset, collate_groups
from ptychopinn.data.grouping import group_patterns
from ptychopinn.data.region import select_region
from ptychopinn.errors import ConfigError
from ptychopinn.processes import ALONE, Processes, current
from ptychopinn.scan import Scan

#: Patterns that validation groups are drawn around, at most: more would take longer than the epoch
#: between two validations, and tell the same.
MOST_VALIDATED = 512


class EpochSampler(Sampler[int]):
    """A random choice of groups that depends on seed and epoch alone, so that a run can resume.

    Of several processes each takes its part of every batch, so that together they see what one
    process alone would.

    Args:
        count: Number of groups.
        most: Most groups in an epoch.
        batch_size: Groups in a batch, of all processes together; an epoch holds whole batches only.
        seed: With the epoch number, decides the choice.
        processes: This one among those that train.

    Raises:
        ConfigError: A batch cannot be shared evenly.
    """

    def __init__(
        self, count: int, most: int, batch_size: int, seed: int, processes: Processes = ALONE
    ) -> None:
        self._count = count
        batch = min(batch_size, count)
        if batch % processes.count:
            raise ConfigError(
                f"training.batch_size: found {batch} groups for {processes.count} processes, "
                f"wanted a multiple of {processes.count}; give --batch-size "
                f"{max(1, batch // processes.count) * processes.count}."
            )
        self.batch_size = batch // processes.count
        """Groups of a batch that this process takes."""
        self._length = min(count, most) // batch * batch
        self._batch = batch
        self._processes = processes
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next; the trainer calls it."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return the number of groups in an epoch."""
        return self._length // self._processes.count

    def __iter__(self) -> Iterator[int]:
        """Yield group numbers."""
        order = np.random.default_rng((self._seed, self._epoch)).permutation(self._count)
        batches = order[: self._length].reshape(-1, self._batch)
        first = self._processes.index * self.batch_size
        return iter(batches[:, first : first + self.batch_size].ravel().tolist())


def epochs_done(data: lightning.LightningDataModule) -> int:
    """Return the epochs that a run has behind it, 0 for one that has not begun.

    Worker processes draw their first samples before the trainer says which epoch a resumed run is
    in.
    """
    trainer = data.trainer
    if trainer is None:
        return 0
    return int(getattr(trainer.fit_loop.epoch_progress.current, "processed", 0))


class ScanDataModule(lightning.LightningDataModule):
    """Groups of the training region, split into training and validation by their centres.

    A pattern that a validation group is drawn around is the centre of no training group, however
    often groups are repeated.

    Args:
        scan: In the gauge of the package.
        config: Region, grouping and batch size.
        group_size: Patterns in a group, C.
    """

    def __init__(self, scan: Scan, config: Config, group_size: int) -> None:
        super().__init__()
        self.config = config
        self.scan = scan
        self.group_size = group_size
        seed = config.training.seed
        self.indices = select_region(scan, config.data.region, seed)
        """Numbers of the patterns that are trained on."""
        region = scan.select(self.indices) if len(self.indices) < scan.n_patterns else scan
        self.region = region
        """The scan of these patterns alone; members of batches are numbers in it."""
        rng = np.random.default_rng(seed)
        centres = rng.permutation(region.n_patterns)
        held = round(config.data.validation_fraction * region.n_patterns)
        held = min(held, region.n_patterns - 1, MOST_VALIDATED)
        self.train_groups = self._groups_around(region, centres[held:], rng)
        self.validation_groups = self._groups_around(region, centres[:held], rng) if held else None

    def _groups_around(
        self, scan: Scan, centres: np.ndarray, rng: np.random.Generator
    ) -> GroupDataset:
        settings = self.config.data
        groups = group_patterns(
            scan.positions_px,
            self.group_size,
            max(1, round(settings.groups_per_pattern * len(centres))),
            neighbours=settings.neighbours,
            scan_index=scan.scan_index,
            centres=centres,
            rng=rng,
        )
        supervised = self.config.training.objective == "supervised"
        return GroupDataset(scan, groups, with_truth=supervised)

    def _loader(
        self, dataset: GroupDataset, sampler: EpochSampler | SequentialSampler, batch_size: int
    ) -> DataLoader:
        return DataLoader(
            dataset,
            batch_size=min(batch_size, len(sampler)),
            sampler=sampler,
            num_workers=self.config.training.num_workers,
            persistent_workers=self.config.training.num_workers > 0,
            collate_fn=collate_groups(dataset),
        )

    def train_dataloader(self) -> DataLoader:
        """Return random batches of the training groups, the same for the same epoch and seed."""
        training = self.config.training
        most = training.epoch_steps * training.batch_size
        count = len(self.train_groups)
        sampler = EpochSampler(count, most, training.batch_size, training.seed, current())
        sampler.set_epoch(epochs_done(self))
        return self._loader(self.train_groups, sampler, sampler.batch_size)

    def val_dataloader(self) -> DataLoader | list:
        """Return the validation groups in order; an empty list when none are kept."""
        if self.validation_groups is None:
            return []
        sampler = SequentialSampler(self.validation_groups)
        return self._loader(self.validation_groups, sampler, self.config.training.batch_size)
