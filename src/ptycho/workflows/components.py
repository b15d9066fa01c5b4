"""Training, reconstruction and results under their original names."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ptycho import params
from ptycho.config.config import TrainingConfig
from ptycho.model import DiffractionToObject
from ptycho.raw_data import RawData
from ptycho.translation import chosen_part, device_of, frozen_config, tell_what_has_no_effect
from ptychopinn.bundle import BUNDLE_NAME, Bundle, load_bundle
from ptychopinn.cli.folder import write_history, write_result
from ptychopinn.config import Config, InferenceConfig
from ptychopinn.errors import ConfigError
from ptychopinn.inference import reconstruct
from ptychopinn.io import replacing, staged_folder
from ptychopinn.scan import Reconstruction
from ptychopinn.training import train

Parts = tuple[np.ndarray | None, np.ndarray | None, dict[str, Any]]


def run_cdi_example(
    train_data: RawData,
    test_data: RawData | None,
    config: TrainingConfig,
    do_stitching: bool = False,
) -> Parts:
    """Train on a scan and, where asked for, reconstruct another with what was learned.

    Args:
        train_data: What is trained on.
        test_data: What is reconstructed.
        config: Settings; `ptycho.translation` tells what each means.
        do_stitching: Whether `test_data` is reconstructed.

    Returns:
        (H, W) amplitude and phase of `test_data`, or None and None; and results: ``history`` with
        the training and validation loss of every epoch, ``bundle``, and ``reconstruction`` where
        there is one. `ptycho.model_manager.save` writes the bundle.

    Raises:
        ConfigError: A setting cannot be had, or there is nothing to stitch.
        DataError: A scan cannot be used.
        TrainingError: The training failed.
    """
    if do_stitching and test_data is None:
        raise ConfigError("do_stitching: True was asked for without test_data; give both.")
    part = chosen_part(train_data.scan, config)
    tell_what_has_no_effect(config)
    with tempfile.TemporaryDirectory() as folder:
        bundle = train(part, frozen_config(config, part.n_patterns), folder)
    params.set("bundle", bundle)
    _keep_scale(bundle)
    results: dict[str, Any] = {"bundle": bundle, "history": loss_history(bundle)}
    if not do_stitching or test_data is None:
        return None, None, results
    results["reconstruction"] = reconstruct_raw(test_data, bundle, config.torch_accelerator)
    image = results["reconstruction"].object
    return np.abs(image), np.angle(image), results


def reconstruct_raw(
    raw: RawData, bundle: Bundle, accelerator: str = "auto", batch_size: int | None = None
) -> Reconstruction:
    """Reconstruct a scan as a whole, without the checks that take as long again."""
    quick = InferenceConfig(checks=False, device=device_of(accelerator), batch_size=batch_size)
    settings = replace(bundle.config, inference=quick)
    return reconstruct(raw.scan, bundle, settings)


def load_inference_bundle(model_dir: str | Path) -> tuple[DiffractionToObject, Config]:
    """Load a trained model and keep its ``intensity_scale`` in `ptycho.params.cfg`.

    Args:
        model_dir: A ``wts.h5.zip``, the folder that holds it, or a folder with its contents.

    Returns:
        The model, and the settings that it was trained with.

    Raises:
        BundleError: There is no bundle, or it is damaged.
    """
    bundle = load_bundle(model_dir)
    _keep_scale(bundle)
    return DiffractionToObject(bundle), bundle.config


def save_outputs(
    amplitude: np.ndarray | None,
    phase: np.ndarray | None,
    results: dict[str, Any],
    output_prefix: str | Path,
) -> None:
    """Write what `run_cdi_example` returned: losses, and the image where there is one.

    ``history.csv`` and ``losses.json``; with an image also ``reconstruction.h5``, pictures and the
    rest of what ``ptychopinn reconstruct`` writes; with amplitude and phase alone
    ``reconstruction.npz``.

    Raises:
        OutputError: The folder cannot be written to; nothing is left half-written.
    """
    bundle: Bundle | None = results.get("bundle")
    rows = bundle.history if bundle else []
    if "reconstruction" in results:
        write_result(output_prefix, results["reconstruction"], rows, _config_of(bundle))
    with staged_folder(output_prefix) as stage:
        write_history(Path(stage) / "history.csv", rows)
        losses = json.dumps(results.get("history", {}), indent=2) + "\n"
        (Path(stage) / "losses.json").write_text(losses, encoding="utf-8")
    if "reconstruction" not in results and amplitude is not None and phase is not None:
        with replacing(Path(output_prefix) / "reconstruction.npz") as beside:
            np.savez(beside, amplitude=amplitude, phase=phase)


def loss_history(bundle: Bundle) -> dict[str, list[float | None]]:
    """Return the losses of every epoch: ``train_loss`` and ``val_loss``."""
    return {name: [row.get(name) for row in bundle.history] for name in ("train_loss", "val_loss")}


def _config_of(bundle: Bundle | None) -> Config:
    return bundle.config if bundle else Config()


def _keep_scale(bundle: Bundle) -> None:
    """Keep 2 sqrt(photons) / N, which turns normalised amplitudes into those of the training."""
    params.set("intensity_scale", 2 * bundle.pattern_counts**0.5 / bundle.size.n)


__all__ = [
    "BUNDLE_NAME",
    "load_inference_bundle",
    "loss_history",
    "reconstruct_raw",
    "run_cdi_example",
    "save_outputs",
]
