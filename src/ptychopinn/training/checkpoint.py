"""The checkpoint of a run: whole at every moment, replaced after each epoch."""

import pickle
import struct
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning
import torch

from ptychopinn.errors import TrainingError
from ptychopinn.io import replacing
from ptychopinn.io.refusal import listed, said_briefly
from ptychopinn.training.same_run import Fingerprint, differences

#: Where the trainer keeps what a callback holds.
_CALLBACKS = "callbacks"
_FINGERPRINT = "fingerprint"


class LastCheckpoint(lightning.Callback):
    """Keeps the state after the last whole epoch in one file.

    The file is written beside its place and moved in, so that a kill at any moment leaves the old
    or the new one. It must be the last of the callbacks: it stores what the others hold.

    Args:
        path: Of the checkpoint.
        fingerprint: What the run depends on; kept with it.
    """

    def __init__(self, path: Path, fingerprint: Fingerprint | None = None) -> None:
        self.path = path
        self._fingerprint = fingerprint or {}

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Write the checkpoint; of several processes the first one does.

        Raises:
            OutputError: The file cannot be written; the one before it is kept.
        """
        writes = trainer.is_global_zero
        with replacing(self.path) if writes else nullcontext(self.path) as beside:
            trainer.save_checkpoint(beside)

    def state_dict(self) -> dict[str, Any]:
        """Return what the run depends on."""
        return {_FINGERPRINT: self._fingerprint}

    def require_same_run(self) -> None:
        """Refuse to go on from a file that is not there, damaged, or the checkpoint of another run.

        Raises:
            TrainingError: One of these; the sentence names what differs.
        """
        if not self.path.exists():
            raise TrainingError(
                f"{self.path}: there is no checkpoint to resume from; start without --resume."
            )
        changed = differences(_kept_fingerprint(self.path), self._fingerprint)
        if changed:
            raise TrainingError(
                f"{self.path}: found the checkpoint of another run ({listed(changed)}), wanted one "
                "of this scan and these settings; give those that it had, or start without "
                "--resume."
            )


def _kept_fingerprint(path: Path) -> dict[str, Any]:
    """Return what the run of a checkpoint depends on; nothing of it is run, only read."""
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        return dict(stored[_CALLBACKS][LastCheckpoint.__qualname__][_FINGERPRINT])
    except (
        *(OSError, EOFError, RuntimeError, pickle.UnpicklingError),
        *(LookupError, TypeError, ValueError, AttributeError, AssertionError, struct.error),
    ) as error:
        raise TrainingError(
            f"{path}: found a file that is damaged or no checkpoint of this version "
            f"({said_briefly(error)}), wanted the checkpoint of a training; start without --resume."
        ) from error
