"""The settings of the original, mutable, and the flat dictionary that its older parts read.

Importing this needs neither torch nor NumPy. What a setting means here is told by
`ptycho.translation`, which turns these records into the frozen ones of `ptychopinn.config`.
"""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ptychopinn.errors import ConfigError, did_you_mean

#: Where the flat dictionary has another name than the record.
LEGACY_NAMES = {
    "object_big": "object.big",
    "probe_big": "probe.big",
    "probe_mask": "probe.mask",
    "probe_trainable": "probe.trainable",
    "intensity_scale_trainable": "intensity_scale.trainable",
    "positions_provided": "positions.provided",
    "output_dir": "output_prefix",
    "train_data_file": "train_data_file_path",
    "test_data_file": "test_data_file_path",
}


class _KnownNames:
    """Refuses names that are no field, at construction and at assignment."""

    def __new__(cls, *_: Any, **named: Any) -> Any:
        """Refuse unknown names before they are assigned."""
        for name in named:
            cls._require_known(name)
        return super().__new__(cls)

    def __setattr__(self, name: str, value: Any) -> None:
        self._require_known(name)
        super().__setattr__(name, value)

    @classmethod
    def _require_known(cls, name: str) -> None:
        known = [item.name for item in dataclasses.fields(cls)]  # type: ignore[arg-type]
        if name not in known:
            raise ConfigError(
                f"{cls.__name__}.{name}: no such setting; {did_you_mean(name, known)}"
            )


@dataclass
class ModelConfig(_KnownNames):
    """What is trained."""

    N: int = 64
    """Side of a pattern in pixels; replaced by that of the data."""
    gridsize: int = 1
    """Patterns in a group are gridsize squared."""
    n_filters_scale: int = 2
    """Width of the network; 2 is the width of the paper."""
    model_type: str = "pinn"
    """pinn: judged by the patterns; supervised: by a true object."""
    architecture: str = "cnn"
    """A generator of `ptychopinn`: cnn, fno, hybrid, unrolled and others."""
    amp_activation: str = "sigmoid"
    """sigmoid, swish (also silu), softplus or relu."""
    lift: str = "backprojection"
    """What patch networks see: backprojection (the wave at the object) or none (the amplitude)."""
    object_big: bool = True
    """Overlapping patches are merged before patterns are predicted; always so here."""
    probe_big: bool = True
    """The patch fills the window; always so here."""
    probe_mask: bool = False
    """Cut the probe with a disk; not done here."""
    pad_object: bool = True
    """Fine detail in the central half only; always so here."""
    probe_scale: float = 4.0
    """Scale of the probe; derived from the counts here."""
    gaussian_smoothing_sigma: float = 0.0
    """Smoothing of the input; not done here."""


@dataclass
class TrainingConfig(_KnownNames):
    """How it is trained."""

    model: ModelConfig = field(default_factory=ModelConfig)
    """What is trained."""
    train_data_file: Path | None = None
    """Scan to train on."""
    test_data_file: Path | None = None
    """Scan to reconstruct."""
    batch_size: int = 16
    """Groups in a batch."""
    nepochs: int = 50
    """Passes over the groups."""
    learning_rate: float = 1e-3
    """Largest step size."""
    mae_weight: float = 0.0
    """Above 0, with nll_weight 0: mean absolute difference of amplitudes."""
    nll_weight: float = 1.0
    """Above 0, with mae_weight 0: Poisson likelihood."""
    realspace_mae_weight: float = 0.0
    """Weight of a loss against the true object beside that of the patterns; not done here."""
    realspace_weight: float = 0.0
    """As realspace_mae_weight."""
    nphotons: float = 1e9
    """Photons of a pattern; derived from the counts here."""
    n_groups: int | None = None
    """Groups in an epoch; None = one for every pattern."""
    n_images: int | None = None
    """Older name of n_groups."""
    n_subsample: int | None = None
    """Patterns that are trained on, drawn at random; None = all."""
    sequential_sampling: bool = False
    """Take the first n_subsample patterns instead of drawing them."""
    neighbor_count: int = 4
    """Nearest neighbours that the others of a group are drawn from."""
    neighbor_pool_size: int | None = None
    """The same where more groups than patterns are wanted; None = neighbor_count."""
    enable_oversampling: bool = False
    """Allow more groups than patterns; always allowed here."""
    positions_provided: bool = True
    """Positions come from the file; always so here."""
    probe_trainable: bool = False
    """Refine the probe before the training."""
    intensity_scale_trainable: bool = True
    """Learn the scale of the counts; derived from them here."""
    subsample_seed: int | None = None
    """Seed of weights and groups."""
    output_dir: Path = Path("training_outputs")
    """Folder for the results."""
    backend: str = "pytorch"
    """pytorch; there is no other here."""
    torch_accelerator: str = "auto"
    """auto, cpu, gpu (also cuda, cuda:1) or mps."""
    torch_logger: str = "csv"
    """csv, tensorboard, mlflow or none."""
    torch_learning_rate: float | None = None
    """Takes the place of learning_rate."""
    torch_num_workers: int = 0
    """Processes that read patterns; 0 reads in the training process."""


@dataclass
class InferenceConfig(_KnownNames):
    """How a scan is reconstructed."""

    model: ModelConfig = field(default_factory=ModelConfig)
    """What the bundle is expected to hold."""
    model_path: Path | None = None
    """Bundle, or its folder."""
    test_data_file: Path | None = None
    """Scan to reconstruct."""
    n_groups: int | None = None
    """Groups; None = one for every pattern."""
    n_images: int | None = None
    """Older name of n_groups."""
    n_subsample: int | None = None
    """Patterns that are used; always all of them here."""
    neighbor_count: int = 4
    """Nearest neighbours that the others of a group are drawn from."""
    debug: bool = False
    """Say more."""
    output_dir: Path = Path("inference_outputs")
    """Folder for the results."""
    backend: str = "pytorch"
    """pytorch; there is no other here."""
    torch_accelerator: str = "auto"
    """auto, cpu, gpu (also cuda, cuda:1) or mps."""


def update_legacy_dict(cfg: dict[str, Any], config: TrainingConfig | InferenceConfig) -> None:
    """Write a record into a flat dictionary: the model's settings beside the others.

    Values that are None are left out, paths become text, names are those of `LEGACY_NAMES`.
    Nothing is read back: the records rule.
    """
    flat = dataclasses.asdict(config)
    for name, value in {**flat.pop("model"), **flat}.items():
        if value is not None:
            key = LEGACY_NAMES.get(name, name)
            cfg[key] = str(value) if isinstance(value, Path) else value
