"""A whole training run: from a scan and settings to a bundle."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.loggers import CSVLogger, Logger, MLFlowLogger, TensorBoardLogger

from ptychopinn.bundle import Bundle
from ptychopinn.config import Config
from ptychopinn.data import MeasuredScan, ScanDataModule, normalise
from ptychopinn.data.dataset import collate_groups
from ptychopinn.device import resolve_device, use_threads
from ptychopinn.errors import ConfigError, OutputError, TrainingError
from ptychopinn.generators import GeneratorSize, build_generator, registration
from ptychopinn.model import PtychoModule
from ptychopinn.scan import PatternBatch, Scan
from ptychopinn.training.budget import Budget
from ptychopinn.training.checkpoint import LastCheckpoint
from ptychopinn.training.history import History

_LOG = logging.getLogger(__name__)

#: Name of the checkpoint in the folder of a run.
CHECKPOINT_NAME = "checkpoint.ckpt"
#: Patterns in the golden sample of a bundle that takes any group size.
_GOLDEN_PATTERNS = 4


def _logger(name: str, folder: Path) -> Logger | bool:
    makers: dict[str, Any] = {
        "csv": lambda: CSVLogger(folder, name="log", version=""),
        "tensorboard": lambda: TensorBoardLogger(folder, name="log", version=""),
        "mlflow": lambda: MLFlowLogger("ptychopinn", tracking_uri=f"file:{folder / 'mlruns'}"),
    }
    if name == "none":
        return False
    try:
        return makers[name]()
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"training.logger: '{name}' needs a package that is not installed ({error}); run "
            "pip install 'ptychopinn[tracking]', or use --logger csv."
        ) from error


def _golden_sample(data: ScanDataModule, any_size: bool) -> PatternBatch:
    """Return a group of the training data, cut to few patterns where the generator allows."""
    batch = collate_groups(data.train_groups)([data.train_groups[0]])
    if not any_size:
        return batch
    few = slice(0, _GOLDEN_PATTERNS)
    return batch._replace(
        counts=batch.counts[:, few],
        corners=batch.corners[:, few],
        fractions=batch.fractions[:, few],
    )


def _trainer(
    config: Config, folder: Path, callbacks: list[lightning.Callback], *, progress: bool
) -> lightning.Trainer:
    device = resolve_device(config.training.device)
    bar = [RichProgressBar(leave=False)] if progress else []
    return lightning.Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        devices=[device.index or 0] if device.type == "cuda" else 1,
        max_epochs=-1,
        gradient_clip_val=config.training.gradient_clip,
        logger=_logger(config.training.logger, folder),
        callbacks=[*callbacks[:-1], *bar, callbacks[-1]],
        log_every_n_steps=10,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=progress,
        enable_model_summary=False,
        default_root_dir=folder,
    )


def train(
    scan: Scan,
    config: Config | None = None,
    folder: str | Path = "out",
    *,
    resume: bool = False,
    progress: bool = False,
) -> Bundle:
    """Train a generator on a scan, without truth.

    Args:
        scan: What was measured.
        config: Settings; None = the defaults.
        folder: Where the checkpoint and the log go; made when it is missing.
        resume: Continue the run whose checkpoint lies in the folder.
        progress: Show a progress bar.

    Returns:
        The bundle; `bundle.save_bundle` writes it.

    Raises:
        ConfigError: A setting does not fit the generator or the machine.
        DataError: The scan cannot be trained on.
        TrainingError: The loss is no longer finite, the run was interrupted, or there is nothing
            to learn or to resume.
    """
    config = config or Config()
    known = registration(config.generator.name)
    if known.steps == 0:
        raise TrainingError(
            f"generator '{config.generator.name}' has nothing to learn; use it directly: "
            f"ptychopinn reconstruct SCAN --generator {config.generator.name}"
        )
    use_threads(config.training.threads)
    lightning.seed_everything(config.training.seed, verbose=False)
    measured = normalise(scan, config.physics)
    data = ScanDataModule(measured.scan, config, config.data.group_size or known.group_size)
    size = GeneratorSize(scan.n, data.group_size)
    generator = build_generator(config.generator, size)
    loader_length = len(data.train_dataloader())
    if loader_length == 0:
        raise TrainingError("training: no whole batch is left; make the region larger.")
    budget = Budget(config.training, loader_length, known.steps)
    history = History(budget)
    target = _prepared(Path(folder))
    module = PtychoModule(generator, config.training, budget.progress)
    checkpoint = LastCheckpoint(target / CHECKPOINT_NAME)
    trainer = _trainer(config, target, [budget, history, checkpoint], progress=progress)
    _fit(trainer, module, data, checkpoint.path, resume=resume)
    return _bundle(module, config, measured, data, budget, history)


def _prepared(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made ({error.strerror}).") from error
    return folder


def _fit(
    trainer: lightning.Trainer,
    module: PtychoModule,
    data: ScanDataModule,
    checkpoint: Path,
    *,
    resume: bool,
) -> None:
    if resume and not checkpoint.exists():
        raise TrainingError(
            f"{checkpoint}: there is no checkpoint to resume from; start without --resume."
        )
    try:
        trainer.fit(
            module, datamodule=data, ckpt_path=checkpoint if resume else None, weights_only=True
        )
    except SystemExit as error:
        # Lightning turns Ctrl-C into an exit; the caller must be able to say what is left.
        raise TrainingError(_interruption(trainer, checkpoint)) from error
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            "training ran out of memory on the device; lower --batch-size or --group-size."
        ) from error


def _interruption(trainer: lightning.Trainer, checkpoint: Path) -> str:
    at = f"training was interrupted at step {trainer.global_step}"
    if checkpoint.exists():
        return f"{at}; {checkpoint} is kept: go on with the same command and --resume."
    return f"{at}, before its first checkpoint; nothing is lost but time: start again."


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
