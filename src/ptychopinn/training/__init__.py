"""How a training run is set up, watched, stopped and continued."""

from ptychopinn.training.budget import Budget
from ptychopinn.training.run import CHECKPOINT_NAME, train

__all__ = ["CHECKPOINT_NAME", "Budget", "train"]
