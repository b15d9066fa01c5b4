"""The checkpoint of a run: whole at every moment, replaced after each epoch."""

from pathlib import Path
from typing import Any

import lightning

from ptychopinn.io.atomic import move_in


class LastCheckpoint(lightning.Callback):
    """Keeps the state after the last whole epoch in one file.

    The file is written beside its place and moved in, so that a kill at any moment leaves the old
    or the new one. It must be the last of the callbacks: it stores what the others hold.

    Args:
        path: Of the checkpoint.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Write the checkpoint."""
        beside = self.path.with_suffix(".partial")
        trainer.save_checkpoint(beside)
        if trainer.is_global_zero:
            move_in(beside, self.path)
