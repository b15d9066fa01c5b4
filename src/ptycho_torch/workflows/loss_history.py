"""The losses of every epoch, for whoever trains with a Lightning trainer of their own."""

from typing import Any

import lightning

from ptycho_torch.model import PtychoPINN_Lightning


class LossHistory(lightning.Callback):
    """Collects the mean training loss and the validation loss of every epoch.

    Ptychopinn's own trainings need none: their bundle and checkpoint keep the history.
    """

    def __init__(self) -> None:
        self.train_loss: list[float] = []
        """One for each epoch."""
        self.val_loss: list[float] = []
        """One for each epoch that was validated; the sanity check before the first is none."""

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Add the training loss."""
        _add(self.train_loss, trainer, PtychoPINN_Lightning.loss_name)

    def on_validation_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Add the validation loss."""
        if not trainer.sanity_checking:
            _add(self.val_loss, trainer, PtychoPINN_Lightning.val_loss_name)


def _add(losses: list[float], trainer: lightning.Trainer, name: str) -> None:
    found = trainer.callback_metrics.get(name)
    if found is not None:
        losses.append(float(found))
