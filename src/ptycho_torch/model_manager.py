"""Trained models as files: bundles of `ptychopinn`, and checkpoints that Ptychodus loads."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning

from ptycho.model import DiffractionToObject
from ptycho_torch.bundles import module_of
from ptycho_torch.config_params import DataConfig, ModelConfig
from ptycho_torch.translation import Settings
from ptychopinn.bundle import BUNDLE_NAME, Bundle, load_bundle, save_bundle
from ptychopinn.config import Config
from ptychopinn.io import replacing

#: The model that a bundle holds, by its original name.
MODEL_NAME = "diffraction_to_obj"


def save_torch_bundle(model: Bundle | dict[str, Any], base_path: str | Path) -> Path:
    """Write a model as ``wts.h5.zip``: safetensors and JSON, nothing pickled.

    Args:
        model: A bundle, or a dictionary whose ``diffraction_to_obj`` holds one.
        base_path: Folder.

    Raises:
        BundleError: The bundle has no golden sample.
        OutputError: It cannot be written.
    """
    chosen = model[MODEL_NAME] if isinstance(model, dict) else model
    return save_bundle(Path(base_path) / BUNDLE_NAME, getattr(chosen, "bundle", chosen))


def load_torch_bundle(base_path: str | Path) -> tuple[dict[str, DiffractionToObject], Config]:
    """Read a bundle: the model by its name, and the settings that it was trained with.

    Args:
        base_path: A ``wts.h5.zip``, or the folder that holds it.

    Raises:
        BundleError: There is none, or it is damaged.
    """
    place = Path(base_path)
    bundle = load_bundle(place / BUNDLE_NAME if place.is_dir() else place)
    return {MODEL_NAME: DiffractionToObject(bundle)}, bundle.config


def write_checkpoint(bundle: Bundle, path: str | Path, n: int | None = None) -> Path:
    """Write a bundle as a checkpoint for 'Load Model...' of Ptychodus.

    Args:
        bundle: Trained by ``ptychopinn train``, or one that comes with the package.
        path: The file; ends in .ckpt.
        n: Side N of the patterns it will see; None = of the training. Another one only suits
            generators that take any size.

    Raises:
        OutputError: It cannot be written.
    """
    size = n or bundle.size.n
    sized = replace(bundle, size=replace(bundle.size, n=size))
    settings = Settings(
        DataConfig(N=size, C=bundle.size.group_size),
        ModelConfig(
            mode=_mode(bundle),
            architecture=bundle.config.generator.name,
            generator=bundle.config.generator.to_dict(),
        ),
    )
    module = module_of(sized, settings)
    trainer = lightning.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, max_epochs=0
    )
    trainer.strategy.connect(module)
    with replacing(path) as beside:
        trainer.save_checkpoint(beside, weights_only=True)
    return Path(path)


def _mode(bundle: Bundle) -> str:
    supervised = bundle.config.training.objective == "supervised"
    return "Supervised" if supervised else "Unsupervised"
