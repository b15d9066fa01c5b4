"""How a training run is set up, watched, stopped and continued."""

from ptychopinn.training.budget import Budget
from ptychopinn.training.pretraining import pretrain
from ptychopinn.training.run import train
from ptychopinn.training.trainer import CHECKPOINT_NAME

__all__ = ["CHECKPOINT_NAME", "Budget", "pretrain", "train"]
