"""The classes that Ptychodus drives, in the order in which it does: settings, data, model, run."""

from ptycho_torch.api.config_manager import ConfigManager
from ptycho_torch.api.data import DataloaderFormats, PtychoDataLoader
from ptycho_torch.api.inference import InferenceEngine
from ptycho_torch.api.ptycho_model import PtychoModel
from ptycho_torch.api.training import Trainer

__all__ = [
    "ConfigManager",
    "DataloaderFormats",
    "InferenceEngine",
    "PtychoDataLoader",
    "PtychoModel",
    "Trainer",
]
