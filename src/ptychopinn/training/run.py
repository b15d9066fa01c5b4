"""A whole training run: from a scan and settings to a bundle."""

import logging
from dataclasses import replace
from pathlib import Path

import lightning
import torch

from ptychopinn.bundle import Bundle, load_bundle, load_pretrained, start_from, trained_ranges
from ptychopinn.config import Config, GeneratorConfig
from ptychopinn.data import DescriptorRanges, MeasuredScan, describe_scan, normalise
from ptychopinn.data.datamodule import ScanDataModule
from ptychopinn.data.dataset import collate_groups
from ptychopinn.device import resolve_device, use_threads
from ptychopinn.errors import ConfigError, TrainingError
from ptychopinn.generators import (
    Generator,
    GeneratorSize,
    PatchGenerator,
    build_generator,
    registration,
)
from ptychopinn.io.atomic import made_folder, require_folder_place
from ptychopinn.model import PtychoModule
from ptychopinn.processes import current
from ptychopinn.refinement import LearnedScan, RefinedScan
from ptychopinn.scan import PatternBatch, Scan
from ptychopinn.training.budget import Budget
from ptychopinn.training.checkpoint import LastCheckpoint
from ptychopinn.training.golden import few_patterns
from ptychopinn.training.history import History
from ptychopinn.training.refinement import (
    after_training,
    learned_scan,
    refined_region,
    require_loss_on_patterns,
)
from ptychopinn.training.same_run import training_fingerprint
from ptychopinn.training.trainer import CHECKPOINT_NAME, fit, make_logger, make_trainer
from ptychopinn.training.truth import in_gauge, with_truth

_LOG = logging.getLogger(__name__)


@torch.no_grad()
def _golden_sample(
    data: ScanDataModule, learned: LearnedScan | None, any_size: bool
) -> PatternBatch:
    """Return a group of the training data, cut to few patterns where the generator allows."""
    batch = collate_groups(data.train_groups)([data.train_groups[0]])
    if learned is not None:
        batch = learned(batch)
    if not any_size:
        return batch._replace(truth=None, members=None)
    return few_patterns(batch)


def _starting_bundle(config: Config) -> Bundle | None:
    """Return the bundle whose weights the training starts from; None = fresh ones."""
    match config.training.init:
        case "fresh":
            return None
        case "pretrained":
            return load_pretrained(config.generator)
        case path:
            return load_bundle(path)


def train(
    scan: Scan,
    config: Config | None = None,
    folder: str | Path = "out",
    *,
    resume: bool = False,
    progress: bool = False,
) -> Bundle:
    """Train a generator on a scan: without truth, unless the settings ask for supervised training.

    Args:
        scan: What was measured.
        config: Settings; None = the defaults.
        folder: Where the checkpoint and the log go; made when it is missing.
        resume: Continue the run whose checkpoint lies in the folder.
        progress: Show a progress bar.

    Returns:
        The bundle; `bundle.save_bundle` writes it.

    Raises:
        ConfigError: A setting does not fit the generator or the machine, or supervised training
            has no truth.
        DataError: The scan cannot be trained on.
        TrainingError: The loss is no longer finite, the run was interrupted or ran out of memory,
            there is nothing to learn or to resume, or the checkpoint is that of another run.
        OutputError: The folder cannot be made, or the checkpoint cannot be written.
    """
    config = config or Config()
    start = _starting_bundle(config)
    if start is not None and config.generator == GeneratorConfig(name=start.config.generator.name):
        config = replace(config, generator=start.config.generator)
    _require_something_to_learn(config)
    require_loss_on_patterns(config)
    require_folder_place(folder)
    supervised = config.training.objective == "supervised"
    if supervised:
        scan = with_truth(scan, config.data.truth)
    checkpoint = LastCheckpoint(Path(folder) / CHECKPOINT_NAME, training_fingerprint(scan, config))
    if resume:
        checkpoint.require_same_run()
    use_threads(config.training.threads)
    lightning.seed_everything(config.training.seed, verbose=False)
    measured = normalise(scan, config.physics)
    refined = refined_region(measured.scan, config)
    measured = replace(measured, scan=refined.scan)
    if supervised:
        measured = replace(measured, scan=in_gauge(measured.scan))
    known = registration(config.generator.name)
    data = ScanDataModule(measured.scan, config, config.data.group_size or known.group_size)
    _require_batches(data)
    size = GeneratorSize(scan.n, data.group_size)
    generator = build_generator(config.generator, size)
    _set_precision(generator, config.training.precision)
    if start is not None:
        start_from(generator, start, f"'{config.training.init}'")
    budget = Budget(config.training, len(data.train_dataloader()), known.steps)
    history = History(budget)
    learned = learned_scan(data.region, config)
    module = PtychoModule(generator, config.training, budget.progress, learned)
    trainer = make_trainer(
        resolve_device(config.training.device),
        Path(folder),
        [budget, history, checkpoint],
        progress=progress,
        logger=make_logger(config.training.logger, Path(folder)),
        gradient_clip_val=config.training.gradient_clip,
    )
    made_folder(folder)
    fit(trainer, module, data, checkpoint.path, resume=resume)
    refined = after_training(refined, module.cpu().learned_scan, data.region, data.indices)
    measured = replace(measured, scan=refined.scan)
    bundle = _bundle(module, config, measured, data, budget, history)
    return _with_origin(bundle, start, measured, refined)


def _require_something_to_learn(config: Config) -> None:
    """Refuse a generator without weights, and a clock for several processes."""
    name = config.generator.name
    if registration(name).steps == 0:
        raise TrainingError(
            f"generator '{name}' has nothing to learn; use it directly: "
            f"ptychopinn reconstruct SCAN --generator {name}"
        )
    if current().count > 1 and config.training.max_seconds is not None:
        raise ConfigError(
            "training.max_seconds: the clocks of several processes differ; give --max-steps or "
            "--epochs instead."
        )


def _set_precision(generator: Generator, precision: str) -> None:
    """Let a network of patches compute as the settings say; refuse bf16 where it is unknown."""
    half = precision == "bf16"
    if isinstance(generator, PatchGenerator) and (generator.knows_half_precision or not half):
        generator.half_precision = half
    elif half:
        raise ConfigError(
            "training.precision: 'bf16' is for networks of patches other than uno; leave it out, "
            "or take another --generator."
        )


def _require_batches(data: ScanDataModule) -> None:
    """Refuse a region without a whole batch, and a schedule without the loss that it watches."""
    if len(data.train_dataloader()) == 0:
        raise TrainingError("training: no whole batch is left; make the region larger.")
    if data.config.training.schedule == "plateau" and data.validation_groups is None:
        raise ConfigError(
            "training.schedule: 'plateau' watches the validation loss, and "
            f"data.validation_fraction {data.config.data.validation_fraction:g} of "
            f"{len(data.indices)} patterns keeps no group for it; give a larger "
            "--validation-fraction, or another --schedule."
        )


def _with_origin(
    bundle: Bundle, start: Bundle | None, measured: MeasuredScan, refined: RefinedScan
) -> Bundle:
    """Add what its weights were ever trained on, and what the scan was before it was refined."""
    scan = describe_scan(measured.scan, measured.pattern_counts)
    before = trained_ranges(start)
    ranges = DescriptorRanges.from_many([scan]) if before is None else before.widened(scan)
    statistics = {**bundle.statistics, "descriptor_ranges": ranges.to_dict()}
    if refined.figures:
        statistics["refinement"] = refined.figures
    moved = refined.start_positions_px is not None
    return replace(
        bundle,
        statistics=statistics,
        start_probe=refined.start_probe,
        positions_px=refined.scan.positions_px if moved else None,
        start_positions_px=refined.start_positions_px,
    )


def _bundle(
    module: PtychoModule,
    config: Config,
    measured: MeasuredScan,
    data: ScanDataModule,
    budget: Budget,
    history: History,
) -> Bundle:
    generator = module.generator.cpu().eval()
    _set_precision(generator, "full")  # what was learned is used in full precision
    any_size = registration(config.generator.name).any_size
    settled = replace(config, data=replace(config.data, group_size=data.group_size))
    return Bundle(
        config=settled,
        generator=generator,
        size=GeneratorSize(measured.scan.n, data.group_size),
        probe=measured.scan.probe,
        pattern_counts=measured.pattern_counts,
        history=history.rows,
        statistics={
            "scan": measured.scan.name,
            "domain": measured.scan.domain,
            "patterns": len(data.indices),
            "groups": len(data.train_groups),
            "steps": budget.steps,
            "seconds": round(budget.seconds, 3),
            "weights": sum(p.numel() for p in generator.parameters()),
            "probe_factor": measured.probe_factor,
        },
        golden=_golden_sample(data, module.learned_scan, any_size),
    )
