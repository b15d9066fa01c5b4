"""Training on endless synthetic scans with truth, for weights that serve any measurement."""

import logging
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging
from torch.utils.data import DataLoader, Dataset, Sampler, SequentialSampler

from ptychopinn.bundle import Bundle
from ptychopinn.config import (
    Config,
    GeneratorConfig,
    PhysicsConfig,
    PretrainingConfig,
    TrainingConfig,
    UnrolledConfig,
)
from ptychopinn.data import (
    DescriptorRanges,
    GroupDataset,
    collate_groups,
    describe_scan,
    normalise,
)
from ptychopinn.data.datamodule import epochs_done
from ptychopinn.data.grouping import Groups
from ptychopinn.device import resolve_device, use_threads
from ptychopinn.generators import GeneratorSize, registration
from ptychopinn.generators.unrolled import Unrolled
from ptychopinn.io.atomic import made_folder, require_folder_place
from ptychopinn.physics.supervision import square_error
from ptychopinn.physics.view import BatchView
from ptychopinn.scan import PatternBatch
from ptychopinn.simulation.random_scans import random_scan
from ptychopinn.training.budget import Budget
from ptychopinn.training.checkpoint import LastCheckpoint
from ptychopinn.training.golden import few_patterns
from ptychopinn.training.history import History
from ptychopinn.training.same_run import pretraining_fingerprint
from ptychopinn.training.trainer import CHECKPOINT_NAME, fit, make_logger, make_trainer

_LOG = logging.getLogger(__name__)

#: Added to the error before its logarithm is taken: nothing is gained below this share.
ERROR_FLOOR = 1e-5
#: Share of the brightest light at which a pixel counts half: what few patterns saw, none can know.
_LIT = 0.2
#: Scans that the ranges of the model card are taken from.
_DESCRIBED = 100
#: Numbers of the validation scans start here; training never gets so far.
_VALIDATION_START = 2**40
#: The loss looks at every stage; each counts this much less than the one after it.
_STAGE_DISCOUNT = 0.6
#: The pace of the physics steps learns so much faster than the networks.
_PACE_RATE = 10.0
#: Largest norm of a gradient.
_GRADIENT_CLIP = 1.0


class RandomScans(Dataset):
    """Synthetic scans by number, each as one group with its truth.

    Args:
        settings: Of the pre-training.
        start: Number of the first scan.
        count: Number of scans.
    """

    def __init__(self, settings: PretrainingConfig, start: int, count: int) -> None:
        self.settings = settings
        self.start = start
        self.count = count

    def __len__(self) -> int:
        """Return the number of scans."""
        return self.count

    def __getitem__(self, index: int) -> PatternBatch:
        """Make a scan."""
        made = random_scan(self.settings, self.start + index).scan
        measured = normalise(made, PhysicsConfig())
        truth = None if made.truth is None else made.truth / np.float32(measured.probe_factor)
        scan = replace(measured.scan, truth=truth)
        extent = np.ptp(np.floor(scan.positions_px), axis=0).max()
        everything = Groups(np.arange(scan.n_patterns)[None], int(extent))
        dataset = GroupDataset(scan, everything, with_truth=True)
        return collate_groups(dataset)([dataset[0]])


class SyntheticScans(lightning.LightningDataModule):
    """Ever new scans to train on, and a fixed set that is never trained on."""

    def __init__(self, settings: PretrainingConfig) -> None:
        super().__init__()
        self.settings = settings

    def _loader(self, scans: RandomScans, sampler: Sampler[int]) -> DataLoader:
        # A scan is a batch already: scans differ in size.
        return DataLoader(
            scans,
            batch_size=None,
            sampler=sampler,
            num_workers=self.settings.num_workers,
            persistent_workers=self.settings.num_workers > 0,
        )

    def train_dataloader(self) -> DataLoader:
        """Return an epoch of scans that never came before."""
        length = self.settings.epoch_steps * self.settings.scans_per_step
        sampler = EpochRange(length)
        sampler.set_epoch(epochs_done(self))
        return self._loader(RandomScans(self.settings, 0, _VALIDATION_START), sampler)

    def val_dataloader(self) -> DataLoader:
        """Return the validation scans."""
        scans = RandomScans(self.settings, _VALIDATION_START, self.settings.validation_scans)
        return self._loader(scans, SequentialSampler(scans))


class EpochRange(Sampler[int]):
    """The numbers e L to (e + 1) L of epoch e: no scan comes twice, and a run can resume."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next; the trainer calls it."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return the number of scans in an epoch."""
        return self._length

    def __iter__(self) -> Iterator[int]:
        """Yield scan numbers; the epoch is looked at when the first one is asked for."""
        first = self._epoch * self._length
        yield from range(first, first + self._length)


def trained_on(settings: PretrainingConfig, steps: int) -> DescriptorRanges:
    """Return what the scans of a training span, from the first hundred of them."""
    count = min(_DESCRIBED, steps * settings.scans_per_step)
    scans = (random_scan(settings, number).scan for number in range(count))
    return DescriptorRanges.from_many(describe_scan(scan) for scan in scans)


def stage_errors(generator: Unrolled, batch: PatternBatch) -> torch.Tensor:
    """Return the square error after each stage of a whole scan, averaged over the groups."""
    if batch.truth is None:
        raise ValueError("pre-training wants batches with the true object")
    view = BatchView(batch)
    light = view.illumination / view.illumination.amax(dim=(-2, -1), keepdim=True)
    weight = light**2 / (light**2 + _LIT**2)
    errors = [
        square_error(canvas, batch.truth, weight).mean()
        for canvas in generator.sweeps(view, generator.whole_scan_stages)
    ]
    return torch.stack(errors)


class PretrainingModule(lightning.LightningModule):
    """Supervised training of `Unrolled` on scans with truth.

        loss = sum_k 0.6^(K - k) log(E_k + 1e-5) / sum_k 0.6^(K - k)

    with E_k the square error after stage k. The logarithm lets scans of every dose count alike:
    halving an error is worth the same everywhere.

    Args:
        generator: What is trained.
        settings: Rates and lengths.
    """

    def __init__(self, generator: Unrolled, settings: PretrainingConfig) -> None:
        super().__init__()
        self.generator = generator
        self.settings = settings
        left = torch.arange(generator.whole_scan_stages - 1, -1, -1, dtype=torch.float32)
        self._weights = _STAGE_DISCOUNT**left

    def _loss(self, batch: PatternBatch) -> torch.Tensor:
        logarithms = torch.log(stage_errors(self.generator, batch) + ERROR_FLOOR)
        weights = self._weights.to(logarithms.device)
        return (weights * logarithms).sum() / weights.sum()

    def training_step(self, batch: PatternBatch, index: int) -> torch.Tensor:  # noqa: ARG002
        """Return the loss of one scan."""
        loss = self._loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=1)
        return loss

    def validation_step(self, batch: PatternBatch, index: int) -> None:  # noqa: ARG002
        """Log the logarithm of the last stage's error."""
        last = torch.log(stage_errors(self.generator, batch)[-1] + ERROR_FLOOR)
        self.log("val_loss", last, batch_size=1)

    def configure_optimizers(self) -> Any:
        """Return Adam with a warm-up and a cosine, by step."""
        generator, rate = self.generator, self.settings.learning_rate
        fast = [*generator.pace, *generator.shares]
        networks = list(generator.networks.parameters())
        optimiser = torch.optim.Adam(
            [{"params": fast, "lr": _PACE_RATE * rate}, {"params": networks, "lr": rate}]
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self._rate_factor)
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _rate_factor(self, step: int) -> float:
        settings = self.settings
        if step < settings.warmup_steps:
            return (step + 1) / settings.warmup_steps
        done = (step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps)
        return 0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, done))) / 2


def pretrain(
    settings: PretrainingConfig,
    generator_settings: UnrolledConfig,
    folder: str | Path,
    *,
    resume: bool = False,
    progress: bool = False,
) -> Bundle:
    """Train `Unrolled` on endless synthetic scans and return its bundle.

    Args:
        settings: What is drawn, how long, how fast.
        generator_settings: Stages, subsets, networks. Without networks, which is the default of
            `UnrolledConfig`, only the pace of the physics steps is trained, a dozen numbers; a
            warning says so. The weights that come with the package have two.
        folder: Where the checkpoint and the log go; made when it is missing.
        resume: Continue the run whose checkpoint lies in the folder.
        progress: Show a progress bar.

    Raises:
        ConfigError: The device is not there.
        TrainingError: The run was interrupted, or there is nothing to resume but another run.
        OutputError: The folder cannot be made, or the checkpoint cannot be written.
    """
    target = Path(folder)
    require_folder_place(target)
    checkpoint = LastCheckpoint(
        target / CHECKPOINT_NAME, pretraining_fingerprint(settings, generator_settings)
    )
    if resume:
        checkpoint.require_same_run()
    use_threads(settings.threads)
    lightning.seed_everything(settings.seed, verbose=False)
    generator = Unrolled(generator_settings)
    if generator_settings.networks == 0:
        _LOG.warning(
            "unrolled.networks is 0: only the pace of the physics steps is trained; "
            "UnrolledConfig(networks=2) trains networks as well."
        )
    module = PretrainingModule(generator, settings)
    budget = Budget(TrainingConfig(max_steps=settings.steps), settings.epoch_steps, settings.steps)
    history = History(budget)
    average = EMAWeightAveraging(decay=settings.averaging)
    trainer = make_trainer(
        resolve_device(settings.device),
        target,
        [budget, history, average, checkpoint],
        progress=progress,
        logger=make_logger("csv", target),
        gradient_clip_val=_GRADIENT_CLIP,
        accumulate_grad_batches=settings.scans_per_step,
    )
    made_folder(target)
    fit(trainer, module, SyntheticScans(settings), checkpoint.path, resume=resume)
    generator.relax(settings.relaxation)
    golden = RandomScans(settings, _VALIDATION_START, 1)[0]
    return Bundle(
        config=Config(generator=GeneratorConfig(name="unrolled", unrolled=generator_settings)),
        generator=generator.cpu().eval(),
        size=GeneratorSize(golden.counts.shape[-1], registration("unrolled").group_size),
        probe=golden.probe.numpy(),
        pattern_counts=float(golden.counts.sum(dim=(-2, -1)).mean()),
        history=history.rows,
        statistics={
            "pretraining": settings.to_dict(),
            "steps": budget.steps,
            "seconds": round(budget.seconds, 3),
            "weights": sum(p.numel() for p in generator.parameters()),
            "descriptor_ranges": trained_on(settings, budget.steps).to_dict(),
        },
        golden=few_patterns(golden),
    )
