"""The record of a run: one row an epoch, kept with the result."""

from typing import Any

import lightning

from ptychopinn.training.budget import Budget


class History(lightning.Callback):
    """Collects the mean training loss and the validation loss of every epoch.

    Args:
        budget: Knows the time.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.rows: list[dict[str, Any]] = []
        """Dictionaries of epoch, step, seconds, train_loss, val_loss, learning_rate."""

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Add the row of an epoch, after its validation."""
        metrics = trainer.callback_metrics
        train = metrics.get("train_loss_epoch", metrics.get("train_loss"))
        validation = metrics.get("val_loss")
        self.rows.append(
            {
                "epoch": trainer.current_epoch,
                "step": trainer.global_step,
                "seconds": round(self._budget.seconds, 3),
                "train_loss": None if train is None else float(train),
                "val_loss": None if validation is None else float(validation),
                "learning_rate": float(trainer.optimizers[0].param_groups[-1]["lr"]),
            }
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the rows, so that a resumed run keeps them."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the rows of the part before."""
        self.rows = list(state_dict["rows"])
