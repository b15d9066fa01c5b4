"""Whole runs by the names of the original design."""

from pathlib import Path
from typing import Any

import numpy as np

from ptycho.config.config import TrainingConfig
from ptycho.raw_data import RawData
from ptycho.workflows.components import run_cdi_example
from ptycho_torch.model_manager import load_torch_bundle
from ptycho_torch.workflows.loss_history import LossHistory as _LossHistoryCallback

__all__ = ["_LossHistoryCallback", "load_inference_bundle_torch", "run_cdi_example_torch"]

Parts = tuple[np.ndarray | None, np.ndarray | None, dict[str, Any]]


def run_cdi_example_torch(
    train_data: RawData,
    test_data: RawData | None,
    config: TrainingConfig,
    do_stitching: bool = False,
) -> Parts:
    """Train on a scan and, where asked for, reconstruct another; see `run_cdi_example`.

    Returns:
        (H, W) amplitude and phase, None and None without `do_stitching`; and results: ``history``
        with ``train_loss`` and ``val_loss`` of every epoch, ``bundle``, ``reconstruction``.
    """
    return run_cdi_example(train_data, test_data, config, do_stitching)


def load_inference_bundle_torch(bundle_dir: str | Path) -> tuple[dict[str, Any], Any]:
    """Read a bundle: the model by its name, and the settings that it was trained with.

    Raises:
        BundleError: There is none, or it is damaged.
    """
    return load_torch_bundle(bundle_dir)
