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
    """A generator of `ptychopinn`: cnn, fno, hybrid, unrolled and others; neuralop_uno is uno."""
    fno_modes: int | None = None
    """Frequencies kept of each axis by a spectral layer; None = 12."""
    fno_width: int | None = None
    """Channels of the networks with spectral layers; None = 16."""
    fno_blocks: int | None = None
    """Fourier blocks; None = 3."""
    fno_cnn_blocks: int | None = None
    """Convolutional blocks after the Fourier blocks; None = 2."""
    fno_input_transform: str = "none"
    """What is done to the amplitude before a network sees it: none, sqrt, log1p, instancenorm."""
    max_hidden_channels: int | None = None
    """Most channels of networks with levels; None = 48."""
    resnet_width: int | None = None
    """Width of the decoder of hybrid_resnet; not here."""
    generator_output_mode: str = "amp_phase"
    """amp_phase (also amp_phase_logits) or real_imag."""
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
    scheduler: str = "Default"
    """Default, WarmupCosine and CosineAnnealing (warm-up and cosine), Exponential, or
    ReduceLROnPlateau."""
    lr_warmup_epochs: int = 0
    """Epochs in which the rate rises; 0 = a twentieth of them."""
    lr_min_ratio: float = 0.1
    """Last rate as a share of the largest; always a hundredth here."""
    plateau_factor: float = 0.5
    """Factor of the rate on each plateau."""
    plateau_patience: int = 2
    """Epochs without progress that make a plateau; always 5 here."""
    plateau_min_lr: float = 5e-5
    """Least rate after plateaus; there is none here."""
    plateau_threshold: float = 0.0
    """Progress that counts as such; always a ten-thousandth here."""
    optimizer: str = "adam"
    """adam, adamw or sgd."""
    weight_decay: float = 0.0
    """Decay of weights (adamw) or L2 penalty (adam, sgd)."""
    gradient_clip_val: float | None = 1.0
    """Largest norm of the gradient; 0 or None = no limit."""
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
    torch_scheduler: str | None = None
    """Takes the place of scheduler."""
    torch_plateau_factor: float | None = None
    """Takes the place of plateau_factor."""
    torch_plateau_patience: int | None = None
    """Takes the place of plateau_patience."""
    torch_plateau_min_lr: float | None = None
    """Takes the place of plateau_min_lr."""
    torch_plateau_threshold: float | None = None
    """Takes the place of plateau_threshold."""
    torch_accumulate_grad_batches: int = 1
    """Batches whose gradients are averaged before a step: a batch that many times as large here."""
    torch_deterministic: bool = True
    """The same seed gives the same run; always so on a CPU here."""
    torch_enable_checkpointing: bool = True
    """Write checkpoints; always so here."""
    torch_checkpoint_save_top_k: int = 1
    """Checkpoints that are kept; always the last one here."""


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
    subsample_seed: int | None = None
    """Seed of the patterns that are used; always all of them here."""
    neighbor_count: int = 4
    """Nearest neighbours that the others of a group are drawn from; no groups are made here."""
    debug: bool = False
    """Say more."""
    output_dir: Path = Path("inference_outputs")
    """Folder for the results."""
    backend: str = "pytorch"
    """pytorch; there is no other here."""
    torch_accelerator: str = "auto"
    """auto, cpu, gpu (also cuda, cuda:1) or mps."""
    torch_num_workers: int = 0
    """Processes that read patterns; always read in the process itself here."""
    torch_inference_batch_size: int | None = None
    """Patterns in a batch; None = chosen by itself."""


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
