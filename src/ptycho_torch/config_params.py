"""The settings of the original, as Ptychodus passes them: mutable records of plain values.

Importing this needs neither torch nor Lightning. What a setting means here, and which have no
effect, stands in `ptycho_torch.translation`.
"""

from dataclasses import dataclass


@dataclass
class DataConfig:
    """Patterns, positions and groups."""

    N: int = 64
    """Side of a pattern in pixels."""
    C: int = 4
    """Patterns in a group."""
    grid_size: tuple[int, int] = (2, 2)
    """Rows and columns of a group."""
    K: int = 6
    """Nearest neighbours that the others of a group are drawn from."""
    K_quadrant: int = 30
    """The same for the lookup by quadrants."""
    n_subsample: int = 7
    """Groups around each pattern."""
    subsample_seed: int | None = None
    """Seed of weights and groups."""
    x_bounds: tuple[float, float] = (0.1, 0.9)
    """Part of the scan's width that is trained on, as shares of it."""
    y_bounds: tuple[float, float] = (0.1, 0.9)
    """Part of the scan's height that is trained on, as shares of it."""
    min_neighbor_distance: float = 0.0
    """Least distance of neighbours in pixels (Min_dist)."""
    max_neighbor_distance: float = 3.0
    """Greatest distance of neighbours in pixels (Min_dist)."""
    neighbor_function: str = "Nearest"
    """Nearest, Min_dist or 4_quadrant."""
    scan_pattern: str = "Isotropic"
    """Isotropic or Rectangular."""
    normalize: str = "Batch"
    """Group or Batch."""
    data_scaling: str = "Parseval"
    """Parseval or Max."""
    probe_normalize: bool = True
    """Scale the probe to the photons of a pattern."""
    probe_scale: float = 4.0
    """Scale of the probe."""
    probe_ramp_removal: bool = False
    """Remove a phase ramp from the probe."""
    phase_subtraction: bool = True
    """Remove the mean phase of true patches."""


@dataclass
class ModelConfig:
    """What is trained."""

    mode: str = "Unsupervised"
    """Unsupervised: judged by the patterns; Supervised: by the object of the training file."""
    architecture: str = "cnn"
    """A generator of `ptychopinn`: cnn, fno, hybrid, unrolled and others."""
    generator: dict | None = None
    """All settings of the generator as `ptychopinn.config.GeneratorConfig` has them; None = derived
    from the other settings."""
    lift: str = "backprojection"
    """What patch networks see: backprojection (the wave at the object) or none (the amplitude)."""
    n_filters_scale: int = 2
    """Width of the network; 2 is the width of the paper."""
    amp_activation: str = "silu"
    """silu, sigmoid, swish, softplus or relu."""
    loss_function: str = "Poisson"
    """Poisson, or MAE of amplitudes."""
    amp_loss: str | None = None
    """Total_Variation or Mean_Deviation of the object; None = neither."""
    phase_loss: str | None = None
    """As amp_loss; both judge the complex object here."""
    amp_loss_coeff: float = 1.0
    """Weight of amp_loss."""
    phase_loss_coeff: float = 1.0
    """Weight of phase_loss."""
    C_model: int = 4
    """Patterns in a group, as the network sees it."""
    C_forward: int = 4
    """Patterns in a group, as the forward model sees it."""
    object_big: bool = True
    """Overlapping patches are merged before patterns are predicted."""
    probe_big: bool = True
    """The patch fills the window."""
    intensity_scale_trainable: bool = False
    """Learn the scale of the counts."""
    intensity_scale: float = 10000.0
    """Scale of the counts."""
    max_position_jitter: int = 10
    """Room for moved positions in pixels."""
    num_datasets: int = 1
    """Scans that are trained on."""
    probe_mask: object | None = None
    """Cut the probe with a mask."""
    batch_norm: bool = False
    """Batch normalisation."""
    edge_pad: int = 10
    """Padding at the border of patches."""
    offset: int = 6
    """Distance of neighbouring patches."""
    use_shared_decoder: bool = False
    """One decoder for amplitude and phase."""
    decoder_last_amp_channels: int = 4
    """Channels of the last amplitude layer."""
    decoder_last_c_outer_fraction: float = 0.125
    """Share of the last filters that draws the surroundings of the central half."""
    decoder_spatial_kernel: int = 7
    """Kernel of spatial attention."""
    cbam_encoder: bool = True
    """Attention in the encoder."""
    cbam_bottleneck: bool = False
    """Attention in the bottleneck."""
    cbam_decoder: bool = False
    """Attention in the decoder."""
    eca_encoder: bool = False
    """Channel attention in the encoder."""
    eca_decoder: bool = False
    """Channel attention in the decoder."""
    spatial_decoder: bool = False
    """Spatial attention in the decoder."""
    probe_reference_coeff: float = 0.0
    """Weight of a loss against a reference probe."""
    amplitude_variance_loss: bool = False
    """Judge the variance of the amplitude."""
    amplitude_variance_coeff: float = 0.01
    """Weight of amplitude_variance_loss."""


@dataclass
class TrainingConfig:
    """How it is trained."""

    epochs: int = 50
    """Passes over the groups."""
    batch_size: int = 16
    """Groups in a batch."""
    learning_rate: float = 1e-3
    """Largest step size."""
    accum_steps: int = 1
    """Batches whose gradients are added before a step."""
    gradient_clip_val: float | None = None
    """Largest norm of the gradient; None = no limit."""
    scheduler: str = "Default"
    """Default (warm-up and cosine), Exponential or Cosine."""
    warmup_epochs: int = 0
    """Epochs in which the rate rises; 0 = a twentieth of them."""
    min_lr_ratio: float = 0.1
    """Last rate as a share of the first."""
    nll: bool = True
    """Poisson likelihood; False with loss_function Poisson: MAE of amplitudes."""
    device: str = "cuda"
    """cuda, cpu, mps or auto; one that is not there is replaced by cpu, with a warning."""
    n_devices: int = 1
    """Devices that are used; one here, whatever is asked."""
    strategy: str = "ddp_spawn"
    """How several devices are used."""
    framework: str = "Lightning"
    """What trains."""
    orchestrator: str = "Lightning"
    """What keeps the record of a run."""
    num_workers: int = 4
    """Processes that read patterns; at most one for each core."""
    notes: str = ""
    """For the record."""
    model_name: str = "PtychoPINNv2"
    """For the record; the name of a generator (unrolled, fno, hybrid ...) chooses it."""
    epochs_fine_tune: int = 0
    """Epochs of fine tuning."""
    fine_tune_gamma: float = 0.1
    """Factor of the rate in fine tuning."""
    enable_staged_finetuning: bool = False
    """Fine tuning in stages."""
    finetune_stage1_epochs: int = 7
    """Epochs of stage 1."""
    finetune_stage2_epochs: int = 7
    """Epochs of stage 2."""
    finetune_stage3_epochs: int = 5
    """Epochs of stage 3."""
    finetune_stage1_lr_decoder: float = 0.1
    """Factor of the rate."""
    finetune_stage2_lr_encoder_top: float = 0.01
    """Factor of the rate."""
    finetune_stage2_lr_decoder: float = 0.05
    """Factor of the rate."""
    finetune_stage2_lr_phase_head: float = 0.1
    """Factor of the rate."""
    finetune_stage3_lr_encoder_bottom: float = 0.005
    """Factor of the rate."""
    finetune_stage3_lr_encoder_top: float = 0.01
    """Factor of the rate."""
    finetune_stage3_lr_decoder: float = 0.02
    """Factor of the rate."""
    finetune_stage3_lr_phase_head: float = 0.05
    """Factor of the rate."""
    finetune_skip_stage3: bool = True
    """Leave out stage 3."""
    finetune_early_stop_patience: int = 3
    """Epochs without progress that end fine tuning."""
    finetune_val_split: float = 0.05
    """Share of the groups that is kept for validation."""


@dataclass
class InferenceConfig:
    """How a scan is reconstructed."""

    batch_size: int = 1000
    """Most patterns in a batch."""
    middle_trim: int = 32
    """Central part of each patch that is stitched, in pixels."""
    experiment_number: int = 0
    """Which scan of several."""
    patch_weighting: str = "probe"
    """probe or uniform."""
    pad_eval: bool = True
    """Stitch the rim as well."""
    window: int = 20
    """Width of the rim in pixels."""


@dataclass
class DatagenConfig:
    """Synthetic scans; `ptychopinn simulate` makes them, and nothing is set here."""
