"""The Lightning trainer of every run: its callbacks, its log, its checkpoint, and how it ends."""

import os
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.loggers import CSVLogger, Logger, MLFlowLogger, TensorBoardLogger
from lightning.pytorch.plugins.environments import LightningEnvironment

from ptychopinn.errors import (
    ConfigError,
    DataError,
    OutputError,
    ProcessError,
    PtychoError,
    TrainingError,
)
from ptychopinn.processes import current

#: Name of the checkpoint in the folder of a run.
CHECKPOINT_NAME = "checkpoint.ckpt"


def make_logger(name: str, folder: Path) -> Logger | bool:
    """Return the logger of a name; False for none.

    Raises:
        ConfigError: Its package is not installed.
    """
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


def make_trainer(
    device: torch.device,
    folder: Path,
    callbacks: list[lightning.Callback],
    *,
    progress: bool,
    **options: Any,
) -> lightning.Trainer:
    """Return a trainer that runs until a callback stops it.

    Args:
        device: Where it trains.
        folder: Of the run.
        callbacks: The last one is kept last: it stores what the others hold.
        progress: Show a progress bar.
        **options: Further arguments of `lightning.Trainer`.
    """
    bar = [RichProgressBar(leave=False)] if progress else []
    return lightning.Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        **_placement(device),
        max_epochs=-1,
        callbacks=[*callbacks[:-1], *bar, callbacks[-1]],
        log_every_n_steps=10,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=progress,
        enable_model_summary=False,
        default_root_dir=folder,
        # Who started the processes was found out already; the trainer's own guesses refuse some
        # jobs of Slurm.
        plugins=[LightningEnvironment()],
        **options,
    )


def _placement(device: torch.device) -> dict[str, Any]:
    """Return on which devices of how many nodes; several processes share what torchrun gave."""
    count = current().count
    if count == 1:
        return {"devices": [device.index or 0] if device.type == "cuda" else 1}
    here = int(os.environ.get("LOCAL_WORLD_SIZE", count))
    # The sampler shares the groups itself, so that the batches are those of one process.
    return {
        "devices": here,
        "num_nodes": count // here,
        "strategy": "ddp",
        "use_distributed_sampler": False,
    }


def prepared_folder(folder: str | Path) -> Path:
    """Make the folder of a run.

    Raises:
        OutputError: It cannot be made.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made ({error.strerror}).") from error
    return target


def fit(
    trainer: lightning.Trainer,
    module: lightning.LightningModule,
    data: lightning.LightningDataModule,
    checkpoint: Path,
    *,
    resume: bool,
) -> None:
    """Run the training, or go on with it from the checkpoint.

    Raises:
        DataError: A pattern cannot be read.
        TrainingError: It was interrupted, ran out of memory, or there is nothing to resume.
        ProcessError: Another of several processes is gone.
    """
    several = current().count > 1
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
    except DataError as error:
        # A worker process sends its traceback along; the sentence is the last line of it.
        *traceback, sentence = str(error).splitlines()
        if not traceback:
            raise
        raise DataError(sentence.partition("DataError: ")[2] or sentence) from error
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            "training ran out of memory on the device; lower --batch-size or --group-size."
        ) from error
    except RuntimeError as error:
        # What a broken sum over all processes raises has no type of its own.
        if not several or isinstance(error, PtychoError):
            raise
        why = " ".join(str(error).splitlines()[:1])
        raise ProcessError(
            f"{_interruption(trainer, checkpoint)} Another process is gone or cannot be reached "
            f"({why}); see what that one said."
        ) from error


def _interruption(trainer: lightning.Trainer, checkpoint: Path) -> str:
    at = f"training was interrupted at step {trainer.global_step}"
    if checkpoint.exists():
        return f"{at}; {checkpoint} is kept: go on with the same command and --resume."
    return f"{at}, before its first checkpoint; nothing is lost but time: start again."
