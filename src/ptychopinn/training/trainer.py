"""The Lightning trainer of every run: its callbacks, its log, its checkpoint, and how it ends."""

import os
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.loggers import CSVLogger, Logger, MLFlowLogger, TensorBoardLogger
from lightning.pytorch.plugins.environments import LightningEnvironment

from ptychopinn.device import is_out_of_memory
from ptychopinn.errors import (
    ConfigError,
    DataError,
    OutputError,
    ProcessError,
    PtychoError,
    TrainingError,
)
from ptychopinn.io.refusal import said_briefly
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
            f"training.logger: '{name}' needs a package that is not installed "
            f"({said_briefly(error)}); run pip install 'ptychopinn[tracking]', or use --logger csv."
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


def fit(
    trainer: lightning.Trainer,
    module: lightning.LightningModule,
    data: lightning.LightningDataModule,
    checkpoint: Path,
    *,
    resume: bool,
) -> None:
    """Run the training, or go on with it from the checkpoint, which is there.

    Raises:
        DataError: A pattern cannot be read.
        TrainingError: It was interrupted or ran out of memory.
        OutputError: The checkpoint or the log cannot be written.
        ProcessError: Another of several processes is gone.
    """
    several = current().count > 1
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
    except OSError as error:
        stopped = f"{_refused(error, checkpoint.parent)} Training stopped at step"
        raise OutputError(f"{stopped} {trainer.global_step}{_kept(checkpoint)}") from error
    except (MemoryError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise TrainingError(
                "training ran out of memory; lower --batch-size or --group-size."
            ) from error
        # What a broken sum over all processes raises has no type of its own.
        if not several or isinstance(error, PtychoError):
            raise
        why = " ".join(str(error).splitlines()[:1])
        raise ProcessError(
            f"{_interruption(trainer, checkpoint)} Another process is gone or cannot be reached "
            f"({why}); see what that one said."
        ) from error


def _interruption(trainer: lightning.Trainer, checkpoint: Path) -> str:
    return f"training was interrupted at step {trainer.global_step}{_kept(checkpoint)}"


def _kept(checkpoint: Path) -> str:
    """Return the end of a sentence on a training that stopped: what is left of it."""
    if checkpoint.exists():
        return f"; {checkpoint} is kept: go on with the same command and --resume."
    return ", before its first checkpoint; nothing is lost but time: start again."


def _refused(error: OSError, folder: Path) -> str:
    """Say what the disk refused; the loggers of others leave it at a number."""
    if isinstance(error, OutputError):
        return str(error)
    reason = error.strerror or said_briefly(error)
    return (
        f"{error.filename or folder}: cannot be used: found '{reason}', wanted a place with room "
        "and the rights to it; make room there or choose another place."
    )
