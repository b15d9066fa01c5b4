"""How long a run may take, in steps or seconds, and how much of that is gone."""

import time
from typing import Any

import lightning

from ptychopinn.config import TrainingConfig


class Budget(lightning.Callback):
    """Stops the training when its steps, epochs or seconds are used up.

    Args:
        training: Holds the limits.
        steps_per_epoch: To turn epochs into steps.
        default_steps: Used when the settings give no limit at all.
    """

    def __init__(self, training: TrainingConfig, steps_per_epoch: int, default_steps: int) -> None:
        self.max_seconds = training.max_seconds
        limits = []
        if training.max_steps is not None:
            limits.append(training.max_steps)
        if training.epochs is not None:
            limits.append(training.epochs * steps_per_epoch)
        if not limits and training.max_seconds is None:
            limits.append(default_steps)
        self.max_steps = min(limits) if limits else None
        self.steps = 0
        self._before = 0.0
        self._started: float | None = None

    @property
    def seconds(self) -> float:
        """Training time so far, of all the parts of a resumed run."""
        running = 0.0 if self._started is None else time.monotonic() - self._started
        return self._before + running

    def progress(self) -> float:
        """Return the share of the budget that is used, from 0 to 1."""
        shares = [0.0]
        if self.max_steps:
            shares.append(self.steps / self.max_steps)
        if self.max_seconds:
            shares.append(self.seconds / self.max_seconds)
        return min(1.0, max(shares))

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Start the clock; a run that was killed after its last step has nothing left to do."""
        self._started = time.monotonic()
        if self.progress() >= 1.0:
            trainer.should_stop = True

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Count the step, and ask the trainer to stop at the end of the budget."""
        self.steps = trainer.global_step
        if self.progress() >= 1.0:
            trainer.should_stop = True

    def on_train_end(self, *_: Any) -> None:
        """Stop the clock."""
        self._before, self._started = self.seconds, None

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs to go on counting."""
        return {"steps": self.steps, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting."""
        self.steps, self._before = state_dict["steps"], state_dict["seconds"]
