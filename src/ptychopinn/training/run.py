"""A whole training run: from a scan and settings to a bundle."""

import logging
from dataclasses import replace
from pathlib import Path

import lightning

from ptychopinn.bundle import Bundle, load_bundle, load_pretrained, start_from
from ptychopinn.config import Config, GeneratorConfig
from ptychopinn.data import MeasuredScan, normalise
from ptychopinn.data.datamodule import ScanDataModule
from ptychopinn.data.dataset import collate_groups
from ptychopinn.device import resolve_device, use_threads
from ptychopinn.errors import ConfigError, TrainingError
from ptychopinn.generators import GeneratorSize, build_generator, registration
from ptychopinn.model import PtychoModule
from ptychopinn.processes import current
from ptychopinn.scan import PatternBatch, Scan
from ptychopinn.training.budget import Budget
from ptychopinn.training.checkpoint import LastCheckpoint
from ptychopinn.training.golden import few_patterns
from ptychopinn.training.history import History
from ptychopinn.training.refinement import refined_region
from ptychopinn.training.trainer import (
    CHECKPOINT_NAME,
    fit,
    make_logger,
    make_trainer,
    prepared_folder,
)
from ptychopinn.training.truth import in_gauge, with_truth

_LOG = logging.getLogger(__name__)


def _golden_sample(data: ScanDataModule, any_size: bool) -> PatternBatch:
    """Return a group of the training data, cut to few patterns where the generator allows."""
    batch = collate_groups(data.train_groups)([data.train_groups[0]])._replace(truth=None)
    if not any_size:
        return batch
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
        TrainingError: The loss is no longer finite, the run was interrupted, or there is nothing
            to learn or to resume.
    """
    config = config or Config()
    start = _starting_bundle(config)
    if start is not None and config.generator == GeneratorConfig(name=start.config.generator.name):
        config = replace(config, generator=start.config.generator)
    known = registration(config.generator.name)
    if known.steps == 0:
        raise TrainingError(
            f"generator '{config.generator.name}' has nothing to learn; use it directly: "
            f"ptychopinn reconstruct SCAN --generator {config.generator.name}"
        )
    if current().count > 1 and config.training.max_seconds is not None:
        raise ConfigError(
            "training.max_seconds: the clocks of several processes differ; give --max-steps or "
            "--epochs instead."
        )
    supervised = config.training.objective == "supervised"
    if supervised:
        scan = with_truth(scan, config.data.truth)
    use_threads(config.training.threads)
    lightning.seed_everything(config.training.seed, verbose=False)
    measured = normalise(scan, config.physics)
    refined = refined_region(measured.scan, config)
    measured = replace(measured, scan=refined.scan)
    if supervised:
        measured = replace(measured, scan=in_gauge(measured.scan))
    data = ScanDataModule(measured.scan, config, config.data.group_size or known.group_size)
    size = GeneratorSize(scan.n, data.group_size)
    generator = build_generator(config.generator, size)
    if start is not None:
        start_from(generator, start, f"'{config.training.init}'")
    loader_length = len(data.train_dataloader())
    if loader_length == 0:
        raise TrainingError("training: no whole batch is left; make the region larger.")
    budget = Budget(config.training, loader_length, known.steps)
    history = History(budget)
    target = prepared_folder(folder)
    module = PtychoModule(generator, config.training, budget.progress)
    checkpoint = LastCheckpoint(target / CHECKPOINT_NAME)
    trainer = make_trainer(
        resolve_device(config.training.device),
        target,
        [budget, history, checkpoint],
        progress=progress,
        logger=make_logger(config.training.logger, target),
        gradient_clip_val=config.training.gradient_clip,
    )
    fit(trainer, module, data, checkpoint.path, resume=resume)
    bundle = _bundle(module, config, measured, data, budget, history)
    return replace(bundle, start_probe=refined.start_probe)


def _bundle(
    module: PtychoModule,
    config: Config,
    measured: MeasuredScan,
    data: ScanDataModule,
    budget: Budget,
    history: History,
) -> Bundle:
    generator = module.generator.cpu().eval()
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
        golden=_golden_sample(data, any_size),
    )
