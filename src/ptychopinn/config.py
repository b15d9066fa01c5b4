"""Every setting of the package with its unit, bounds and default, once.

Frozen dataclasses, validated when they are made, to and from plain dictionaries and YAML. The
command line is generated from them.
"""

import dataclasses
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, get_args, get_origin, get_type_hints

import yaml

from ptychopinn.errors import ConfigError, did_you_mean, said_briefly

#: Bytes of the largest file of settings.
_LARGEST_FILE = 2**20


def _knob(
    default: Any,
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
) -> Any:
    """Declare a setting with its bounds; ``None`` as a value is always within them."""
    return field(default=default, metadata={"ge": ge, "gt": gt, "le": le, "lt": lt})


def _within(value: float, bounds: Any) -> bool:
    """Tell whether a number keeps the bounds; NaN keeps none."""
    checks = {
        "ge": lambda bound: value >= bound,
        "gt": lambda bound: value > bound,
        "le": lambda bound: value <= bound,
        "lt": lambda bound: value < bound,
    }
    return not math.isnan(value) and all(
        check(bounds[name]) for name, check in checks.items() if bounds.get(name) is not None
    )


def _describe(bounds: Any) -> str:
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    return " and ".join(
        f"{sign} {bounds[name]:g}" for name, sign in signs.items() if bounds.get(name) is not None
    )


def _options(hint: Any) -> tuple[Any, ...]:
    """Flatten ``X | None`` and ``Literal`` into the types and values that a field accepts."""
    if get_origin(hint) is None:
        return (hint,)
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(option for part in get_args(hint) for option in _options(part))


def _fits(value: Any, options: tuple[Any, ...]) -> bool:
    if value is None:
        return type(None) in options
    if isinstance(value, bool):
        return bool in options
    if isinstance(value, int) and float in options:
        return True
    types = tuple(option for option in options if isinstance(option, type))
    return isinstance(value, types) or value in options


@dataclass(frozen=True)
class _Checked:
    """Validation and plain-dictionary form, shared by all settings."""

    section: ClassVar[str] = ""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for item in dataclasses.fields(self):
            self._check(item, _options(hints[item.name]))

    def _check(self, item: dataclasses.Field, options: tuple[Any, ...]) -> None:
        value = getattr(self, item.name)
        where = f"{self.section}.{item.name}" if self.section else item.name
        if not _fits(value, options):
            names = [option.__name__ if isinstance(option, type) else option for option in options]
            wanted = " or ".join("none" if name == "NoneType" else str(name) for name in names)
            hint = ""
            words = [option for option in options if isinstance(option, str)]
            if isinstance(value, str) and words:
                hint = f"; {did_you_mean(value, words)}"
            raise ConfigError(f"{where}: expected {wanted}, got {value!r}{hint}")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and not _within(value, item.metadata):
            raise ConfigError(f"{where}: expected {_describe(item.metadata)}, got {value!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, nested as the dataclasses are."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build from plain values; what is missing keeps its default.

        Raises:
            ConfigError: An unknown key (the nearest known one is named) or a value out of bounds.
        """
        if not isinstance(values, dict):
            raise ConfigError(f"{cls.section or 'config'}: expected named settings, got {values!r}")
        hints = get_type_hints(cls)
        known = {item.name for item in dataclasses.fields(cls)}
        made = {}
        for key, value in values.items():
            if key not in known:
                where = f"{cls.section}.{key}" if cls.section else str(key)
                raise ConfigError(f"{where}: unknown setting; {did_you_mean(str(key), known)}")
            hint = hints[key]
            is_section = isinstance(hint, type) and issubclass(hint, _Checked)
            made[key] = hint.from_dict(value) if is_section else value
        return cls(**made)


@dataclass(frozen=True)
class DataConfig(_Checked):
    """Which patterns are used, how they are read, and how they are grouped."""

    section: ClassVar[str] = "data"

    domain: Literal["auto", "counts", "amplitude"] = "auto"
    """What the pattern array holds; auto decides by type and integer test, and says so."""
    axis_order: Literal["auto", "kyx", "yxk"] = "auto"
    """Order of the pattern axes in the file; yxk is the old (y, x, pattern)."""
    orientation: Literal[
        "stored", "rot90", "rot180", "rot270", "flipud", "fliplr", "transpose", "antitranspose"
    ] = "stored"
    """How patterns are turned after reading; `ptychopinn orient` finds it. Turning the scan axes
    alike is the same experiment seen from another side."""
    scan_axes: Literal[
        "stored",
        "flip-y",
        "flip-x",
        "flip-yx",
        "swap",
        "swap-flip-y",
        "swap-flip-x",
        "swap-flip-yx",
    ] = "stored"
    """How positions are turned after reading: y and x swapped first, then their signs changed."""
    zero_frequency: Literal["auto", "middle", "corner"] = "auto"
    """Where patterns have their zero frequency; auto sees it by where the light lies."""
    bad_pixels: Literal["auto", "file", "none"] = "auto"
    """Detector pixels that count for nothing: auto = those that the file marks and those that are
    found (NaN, negative, saturated, hot, dead); file = only those marked; none = all are good."""
    mask: str | None = None
    """File that marks bad pixels instead of the scan's own: .npy with True = bad, or .npz with
    bad_pixels (True = bad) or mask (True = good)."""
    probe: str | None = None
    """File whose probe replaces that of the scan (.npz with probeGuess or probe, or a product);
    the word bundle, in reconstruct: the probe that the bundle was trained with."""
    truth: str | None = None
    """File whose object serves as truth in supervised training, on the canvas of the scan's
    positions: a simulated or reference .npz, or the product of a reconstruction."""
    map: str | None = None
    """Where things are in a file of no known kind, and what a known one leaves out or has wrong:
    "patterns=/entry/data/data positions=/entry/pos energy=8keV distance=2m pixel=75um"; a place
    may be in another file (positions=stage.h5:/pos). inspect lists all names."""
    crop: int | None = _knob(None, ge=4, le=8192)
    """Side N of the patterns that are kept, about their zero frequency; none = all that there is,
    as a square."""
    center: str = "auto"
    """Where the zero frequency lies: y,x in pixels of the stored frame; light = the centre of the
    mean pattern; auto = as the file says, or the middle."""
    region: str = "all"
    """Patterns to train on: all, top, bottom, left, right, y:0:240,x:10:90 (px), random:0.5."""
    group_size: int | None = _knob(None, ge=1, le=64)
    """Patterns in a group, C; none = what the generator is best at."""
    neighbours: int | None = _knob(None, ge=1, le=512)
    """Nearest neighbours that the C - 1 others are drawn from, K; none = C - 1 (no choice)."""
    groups_per_pattern: float = _knob(1.0, gt=0, le=64)
    """Groups in an epoch, as a multiple of the number of patterns in the region."""
    validation_fraction: float = _knob(0.05, ge=0, lt=1)
    """Share of the patterns, 512 at most, whose groups are kept to validate. No training group is
    drawn around such a pattern, but it is a neighbour in groups drawn around others: a pattern at
    the border belongs to several groups. Judge on a region that was kept out for more."""


@dataclass(frozen=True)
class PhysicsConfig(_Checked):
    """The forward model."""

    section: ClassVar[str] = "physics"

    probe_power: Literal["counts", "keep"] = "counts"
    """counts: sum|P|^2 = mean photons of a pattern; keep: as given in the file."""


@dataclass(frozen=True)
class CnnConfig(_Checked):
    """The encoder-decoder of the PtychoPINN paper."""

    section: ClassVar[str] = "generator.cnn"

    width: float = _knob(1.0, gt=0, le=8)
    """Multiplies the filter ladder (32, 64, 128 at N = 64; one level more per doubling of N)."""
    amplitude_activation: Literal["sigmoid", "softplus", "relu", "swish"] = "sigmoid"
    """Turns the amplitude branch positive (head amp_phase); sigmoid is scaled to
    (0, amplitude_ceiling)."""
    amplitude_ceiling: float = _knob(2.0, gt=0, le=100)
    """Largest amplitude with sigmoid, in units of the gauge."""
    outer_fraction: float = _knob(0.125, gt=0, lt=1)
    """Share of the last filters that draws the coarse continuation outside the central N/2."""
    normalisation: Literal["none", "batch"] = "none"
    """batch: each filter by its mean and deviation over the batch, before its activation. Without a
    lift it learns as much in two thirds of the steps."""


@dataclass(frozen=True)
class FnoConfig(_Checked):
    """The networks with spectral layers: fno, fno_vanilla, ffno, hybrid and uno."""

    section: ClassVar[str] = "generator.fno"

    width: int = _knob(16, ge=2, le=512)
    """Channels at full resolution."""
    modes: int = _knob(12, ge=1, le=1024)
    """Frequencies kept of each axis by a spectral layer; at most N // 2."""
    blocks: int = _knob(3, ge=1, le=64)
    """Fourier blocks (fno, fno_vanilla, ffno)."""
    refiner_blocks: int = _knob(2, ge=0, le=64)
    """Convolutional blocks after the Fourier blocks (fno)."""
    levels: int = _knob(3, ge=1, le=8)
    """Resolutions, each half of the one above (hybrid, uno)."""
    most_channels: int = _knob(48, ge=2, le=1024)
    """Channels double from level to level up to this (hybrid, uno): without a limit each level more
    would have four times the convolution weights of the one above."""
    amplitude_activation: Literal["sigmoid", "softplus", "relu", "swish"] = "sigmoid"
    """Turns the amplitude maps positive (head amp_phase); sigmoid is scaled to
    (0, amplitude_ceiling)."""
    amplitude_ceiling: float = _knob(2.0, gt=0, le=100)
    """Largest amplitude with sigmoid, in units of the gauge."""


@dataclass(frozen=True)
class UnrolledConfig(_Checked):
    """The unrolled reconstructor: physics steps with small networks on the canvas between them."""

    section: ClassVar[str] = "generator.unrolled"

    stages: int = _knob(5, ge=1, le=1000)
    """Sweeps over the patterns, K."""
    subsets: int = _knob(8, ge=1, le=64)
    """Steps in a sweep, each with every S-th pattern; a power of two. The last two fifths of the
    sweeps take half as many steps."""
    networks: int = _knob(0, ge=0, le=64)
    """Networks on the canvas, each shared by a run of stages; 0 = physics alone. They want truth
    (pretrain, or the supervised objective): on patterns alone they learn to repeat noise."""
    network_stages: int = _knob(5, ge=1, le=1000)
    """Stages, from the first, that a network follows."""
    width: int = _knob(16, ge=4, le=256)
    """Channels of the canvas network at its first level (half resolution)."""
    depth: int = _knob(4, ge=1, le=7)
    """Levels of the canvas network; each sees twice as far."""
    step: float = _knob(1.0, gt=0, le=4)
    """Step length b before learning."""
    damping: float = _knob(1.0, gt=0, le=10)
    """Damping a of the division by the illumination before learning, share of its maximum."""
    momentum: float = _knob(0.9, ge=0, le=1)
    """Most momentum before learning; step j has j / (j + 3) until then; 0 = none."""
    model_error: float | None = _knob(0.15, gt=0, le=10)
    """Relative error of modelled amplitudes that is expected of probe, positions and detector:
    where photon noise is larger, the Poisson likelihood is followed instead of the measured
    modulus. none = the measured modulus at every dose."""


@dataclass(frozen=True)
class PieConfig(_Checked):
    """Accelerated parallel PIE: whole sweeps, nothing to learn."""

    section: ClassVar[str] = "generator.pie"

    stages: int = _knob(20, ge=1, le=1000)
    """Sweeps over the patterns, K."""
    step: float = _knob(1.5, gt=0, le=4)
    """Step length b."""
    damping: float = _knob(0.1, gt=0, le=10)
    """Damping a of the division by the illumination, share of its maximum."""
    momentum: float = _knob(1.0, ge=0, le=1)
    """Most momentum; sweep k has k / (k + 3) until then; 0 = plain parallel PIE."""
    model_error: float | None = _knob(None, gt=0, le=10)
    """As of unrolled; none = the measured modulus at every dose, as PIE has it."""


@dataclass(frozen=True)
class GeneratorConfig(_Checked):
    """What turns diffraction into an object."""

    section: ClassVar[str] = "generator"

    name: str = "unrolled"
    """Registered name: unrolled, pie, cnn, fno, fno_vanilla, ffno, hybrid, uno."""
    lift: Literal["none", "backprojection"] = "none"
    """What patch networks see: the amplitude, or the wave propagated back to the object."""
    input_transform: Literal["none", "sqrt", "log1p", "instancenorm"] = "none"
    """What is done to the normalised amplitude before patch networks see it; instancenorm removes
    mean and deviation of each pattern."""
    head: Literal["amp_phase", "real_imag"] = "amp_phase"
    """How patch networks speak: amplitude (bounded) and phase within pi, or real and imaginary part
    without bounds."""
    cnn: CnnConfig = field(default_factory=CnnConfig)
    """Settings of cnn."""
    unrolled: UnrolledConfig = field(default_factory=UnrolledConfig)
    """Settings of unrolled."""
    pie: PieConfig = field(default_factory=PieConfig)
    """Settings of pie."""
    fno: FnoConfig = field(default_factory=FnoConfig)
    """Settings of fno, fno_vanilla, ffno, hybrid and uno."""


@dataclass(frozen=True)
class TrainingConfig(_Checked):
    """The optimisation."""

    section: ClassVar[str] = "training"

    epochs: int | None = _knob(None, ge=1)
    """Passes over the groups. With none of epochs, max_steps and max_seconds: what suits the
    generator; with several: whichever ends first."""
    max_steps: int | None = _knob(None, ge=1)
    """Optimiser steps."""
    max_seconds: float | None = _knob(None, gt=0)
    """Training time in seconds. Convenient, but a run that ends by the clock cannot be repeated."""
    epoch_steps: int = _knob(50, ge=1)
    """Most optimiser steps between two validations, history rows and checkpoints."""
    batch_size: int = _knob(2, ge=1, le=65536)
    """Groups in a batch, B."""
    held_out: float = _knob(0.2, ge=0, lt=1)
    """Share of each group that unrolled does not see and is judged on; 0 = it sees all. Without
    it a network learns to repeat the noise of the patterns that it was given."""
    init: str = "fresh"
    """Where the weights start: fresh, pretrained (those that come with the package), or a bundle
    of the same generator."""
    objective: Literal["self_supervised", "supervised"] = "self_supervised"
    """What the object is judged by: the patterns that it predicts, or the true object."""
    loss: Literal["poisson", "amplitude_mse", "amplitude_mae"] = "poisson"
    """What is minimised between predicted and measured patterns (self_supervised)."""
    tv_weight: float = _knob(0.0, ge=0)
    """Weight of the total variation of the object."""
    mean_deviation_weight: float = _knob(0.0, ge=0)
    """Weight of the mean deviation of the object."""
    optimiser: Literal["adam", "adamw", "sgd"] = "adam"
    """Method of descent."""
    learning_rate: float = _knob(1e-3, gt=0, le=10)
    """Largest step size."""
    weight_decay: float = _knob(0.0, ge=0)
    """Decay of weights (adamw) or L2 penalty (adam, sgd)."""
    schedule: Literal["warmup_cosine", "plateau", "exponential", "constant"] = "warmup_cosine"
    """How the learning rate changes."""
    warmup_fraction: float = _knob(0.05, ge=0, lt=1)
    """Share of the training that the learning rate rises in (warmup_cosine)."""
    decay: float = _knob(0.5, gt=0, lt=1)
    """Factor of plateau (on each plateau) and of exponential (over a tenth of the training)."""
    gradient_clip: float | None = _knob(1.0, gt=0)
    """Largest norm of the gradient; none = no limit."""
    precision: Literal["full", "bf16"] = "full"
    """bf16: networks of patches compute in bfloat16 where that is safe, weights and physics stay in
    full precision; on processors that know it (AVX512-BF16) cnn takes half of the time."""
    seed: int = _knob(0, ge=0, le=2**32 - 1)
    """Seed of weights, groups and augmentation; the same seed gives the same run on a CPU."""
    logger: Literal["csv", "tensorboard", "mlflow", "none"] = "csv"
    """Where the losses of each step go, besides history.csv."""
    report: Literal["html", "none"] = "html"
    """Page report.html beside the bundle; none = leave it out."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1 or mps."""
    num_workers: int = _knob(0, ge=0, le=256)
    """Processes that read patterns; 0 reads in the training process."""
    threads: int | None = _knob(None, ge=1, le=1024)
    """Processor threads; none = OMP_NUM_THREADS, or as many as this process may use."""


@dataclass(frozen=True)
class InferenceConfig(_Checked):
    """Reconstruction of a whole scan."""

    section: ClassVar[str] = "inference"

    batch_size: int | None = _knob(None, ge=1, le=2**20)
    """Patterns in a batch; none = chosen by itself, and halved when memory runs out."""
    stages: int | None = _knob(None, ge=1, le=10000)
    """Sweeps of unrolled or pie; none = as trained and, after subsets, one that is not cut, or more
    of those (at most 40) where the patterns are still far from explained."""
    long_waves: bool = True
    """After the sweeps that `unrolled` learned, add long waves of the phase at once, as far as the
    patterns bear them out."""
    cache_mb: float | None = _knob(None, ge=0)
    """Memory for prepared patterns and probes, in MiB; the rest is made anew each sweep. None =
    256, on a CUDA device half of its free memory."""
    precision: Literal["full", "bf16"] = "full"
    """Of the networks on the canvas; physics is always in full. bf16 takes half of their time where
    the hardware knows it, and changes what they correct by about half a percent."""
    compile: bool = False
    """Compile the networks on the canvas; the first time takes a minute, later ones some seconds.
    For many scans on a GPU: one scan on a processor takes less than that."""
    canvas: Literal["auto", "device", "host"] = "auto"
    """Where the object's canvas lives; host = in the memory of the processor, and the device sees
    pieces of it; auto = there when it would take half of the device's memory."""
    checks: bool = True
    """Also reconstruct both halves of the data: half-data FRC and held-out excess deviance."""
    report: Literal["html", "none"] = "html"
    """Page report.html beside the results, one file that tells everything; none = leave it out."""
    uncertainty: bool = False
    """Also reconstruct data simulated from the result: standard deviation of every pixel. Takes 60
    sweeps unless `stages` says otherwise."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1 or mps."""
    threads: int | None = _knob(None, ge=1, le=1024)
    """Processor threads; none = OMP_NUM_THREADS, or as many as this process may use."""


@dataclass(frozen=True)
class SimulationConfig(_Checked):
    """A synthetic scan."""

    section: ClassVar[str] = "simulation"

    object: Literal["lines", "dead_leaves", "spokes", "noise", "photo"] = "spokes"
    """Kind of object: random lines, dead leaves, Siemens star, filtered noise, photographs."""
    probe: Literal["disk", "gaussian", "zone_plate", "square"] = "zone_plate"
    """Kind of probe; zone_plate is the defocused focus of an annular aperture (central stop),
    square that of KB mirrors."""
    scan: Literal["raster", "fermat", "random"] = "fermat"
    """Kind of positions: jittered raster, Fermat spiral, random."""
    n: int = _knob(64, ge=8, le=4096)
    """Side N of a pattern in pixels."""
    patterns: int = _knob(400, ge=1, le=10_000_000)
    """Number K of patterns."""
    step_px: float = _knob(6.0, gt=0, le=4096)
    """Mean distance between neighbouring positions (raster: pitch of the grid)."""
    photons: float = _knob(1e6, gt=0, le=1e15)
    """Mean expected photons of a pattern, before the mask."""
    noise: bool = True
    """Poisson noise; off gives expected counts."""
    modes: int = _knob(1, ge=1, le=64)
    """Incoherent probe modes P."""
    probe_size: float = _knob(0.35, gt=0, le=1)
    """Diameter of the circle that holds 90 % of the light, as a share of N."""
    central_stop: float = _knob(0.3, ge=0, lt=1)
    """Diameter of the central stop as a share of the aperture (zone_plate)."""
    defocus_rad: float = _knob(6.0, ge=-1000, le=1000)
    """Quadratic phase at the rim of the aperture (zone_plate) or of the spot (disk, gaussian)."""
    aberration_rad: float = _knob(0.0, ge=0, le=100)
    """Root mean square of random astigmatism, coma and spherical phase over the aperture
    (zone_plate)."""
    phase_range_rad: float = _knob(1.0, ge=0, le=3.2)
    """Range of the object's phase, centred on 0."""
    amplitude_range: float = _knob(0.3, ge=0, le=1)
    """Range of the object's amplitude below 1."""
    jitter_px: float = _knob(0.5, ge=0, le=1024)
    """Standard deviation of random moves added to raster positions."""
    gap_px: int = _knob(0, ge=0, le=1024)
    """Width of a vertical detector gap of masked columns beside the middle."""
    dead_fraction: float = _knob(0.0, ge=0, lt=1)
    """Share of detector pixels that are dead and masked."""
    seed: int = _knob(0, ge=0, le=2**32 - 1)
    """Seed of everything random; the same seed gives the same scan."""


@dataclass(frozen=True)
class PretrainingConfig(_Checked):
    """Training on endless synthetic scans, for weights that serve any measurement."""

    section: ClassVar[str] = "pretraining"

    steps: int = _knob(3000, ge=1)
    """Optimiser steps."""
    scans_per_step: int = _knob(2, ge=1, le=1024)
    """Scans whose gradients are averaged in a step."""
    largest_n: Literal[64, 128, 256] = 256
    """Largest side N of a pattern; N = 64 is drawn most often."""
    pixels: int = _knob(2**18, ge=2**12, le=2**26)
    """Detector pixels of a scan, in all: patterns times N^2 (12 to 144 patterns)."""
    least_photons: float = _knob(1e3, gt=0, le=1e15)
    """Fewest photons of a pattern; logarithms are drawn evenly."""
    most_photons: float = _knob(1e9, gt=0, le=1e15)
    """Most photons of a pattern."""
    wrong_probe_share: float = _knob(0.3, ge=0, le=1)
    """Share of the scans whose probe is out of focus, and may lack its weaker modes."""
    defocus_rad: float = _knob(0.7, ge=0, le=20)
    """How far: standard deviation of the quadratic phase at the rim of the far field."""
    wrong_positions_share: float = _knob(0.3, ge=0, le=1)
    """Share of the scans whose positions are wrong."""
    displacement_px: float = _knob(0.7, ge=0, le=20)
    """Largest standard deviation of their error."""
    learning_rate: float = _knob(1e-3, gt=0, le=1)
    """Largest step size of the networks; the pace of the physics steps learns ten times faster."""
    warmup_steps: int = _knob(200, ge=0)
    """Steps in which the learning rate rises; then it falls as a cosine."""
    averaging: float = _knob(0.995, ge=0, lt=1)
    """Decay of the running average of the weights, which is what is kept."""
    relaxation: float = _knob(0.5, gt=0, le=1)
    """Share of the networks' corrections that is kept at the end: on scans unlike those of the
    training they say too much, and physics makes up for what is left out."""
    validation_scans: int = _knob(24, ge=1, le=4096)
    """Scans that are never trained on."""
    epoch_steps: int = _knob(250, ge=1)
    """Steps between two validations and checkpoints."""
    seed: int = _knob(0, ge=0, le=2**32 - 1)
    """Seed of everything random."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1 or mps."""
    threads: int | None = _knob(None, ge=1, le=1024)
    """Processor threads; none = OMP_NUM_THREADS, or as many as this process may use."""
    num_workers: int = _knob(0, ge=0, le=256)
    """Processes that simulate; 0 simulates in the training process."""


@dataclass(frozen=True)
class RefinementConfig(_Checked):
    """Probe and positions made to agree with the patterns, before training or reconstruction."""

    section: ClassVar[str] = "refinement"

    refine_probe: bool = False
    """Refine all modes of the probe; off = it stays as given, bit by bit."""
    probe_modes: int | None = _knob(None, ge=1, le=64)
    """Incoherent modes of the refined probe, at most N; none = as given. New ones start weak."""
    refine_positions: Literal["none", "affine", "points"] = "none"
    """affine: one map for all positions; points: the map in the first two sweeps that move them,
    always, and then each by itself, with `position_bound_px` counted from where the map puts it
    (a map that is right already stays close to what it is); none = as given."""
    refine_sweeps: int | None = _knob(None, ge=1, le=10000)
    """Sweeps over the patterns; none = 6 for the probe alone, 48 with positions."""
    position_bound_px: float = _knob(5.0, gt=0, le=1000)
    """How far a position may get from where it was given, after the affine map."""
    refine_while_training: bool = False
    """Go on with what is refined at every step of a self-supervised training (for train only), from
    where the refinement before it ended, positions within `position_bound_px` once more. For long
    trainings of unrolled whose positions are still off; where they are right it changes little, and
    networks of patches make probe and positions worse."""

    def __post_init__(self) -> None:
        """Refuse modes for a probe that is not refined, and to go on with nothing."""
        super().__post_init__()
        if self.refine_while_training and not (
            self.refine_probe or self.refine_positions != "none"
        ):
            raise ConfigError(
                "refinement.refine_while_training: found True, but nothing is refined; add "
                "--refine-probe true or --refine-positions points, or leave it out."
            )
        if self.probe_modes is not None and not self.refine_probe:
            raise ConfigError(
                f"refinement.probe_modes: {self.probe_modes} modes were asked for, but the probe "
                "is not refined; add --refine-probe true, or leave out --probe-modes."
            )


@dataclass(frozen=True)
class IterativeConfig(_Checked):
    """Epochs of an iterative solver that goes on from a finished image."""

    section: ClassVar[str] = "iterative"

    engine: Literal["pie", "lsqml", "rpie", "epie", "autodiff", "dm", "raar"] = "pie"
    """pie is our own and needs nothing; the others are those of pty-chi, an optional extra."""
    epochs: int = _knob(20, ge=1, le=100_000)
    """Passes over all patterns."""
    batch_size: int | None = _knob(None, ge=1, le=2**20)
    """Patterns in a step (dm, raar: in a chunk); none = what suits the engine."""
    step: float | None = _knob(None, gt=0, le=100)
    """Step length of object and probe in units of the engine; none = what suits it. Not for pie."""
    refine_probe: bool = True
    """Refine all modes of the probe; off = it stays as given, bit by bit."""
    probe_modes: int | None = _knob(None, ge=1, le=64)
    """Incoherent modes of the probe; none = as given. New ones start weak."""
    refine_positions: Literal["none", "affine", "points"] = "none"
    """affine: one map for all positions (pie); points: each by itself (pie: after the map, as in
    `RefinementConfig`); none = as given."""
    seed: int = _knob(0, ge=0, le=2**32 - 1)
    """Seed of the order of the patterns (pty-chi)."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1 or mps (pie)."""
    threads: int | None = _knob(None, ge=1, le=1024)
    """Processor threads; none = OMP_NUM_THREADS, or as many as this process may use."""

    def __post_init__(self) -> None:
        """Refuse modes for a probe that is not refined, and a step for an engine without one."""
        super().__post_init__()
        if self.probe_modes is not None and not self.refine_probe:
            raise ConfigError(
                f"iterative.probe_modes: {self.probe_modes} modes were asked for, but the probe "
                "is not refined; leave out --refine-probe false, or --probe-modes."
            )
        if self.step is not None and self.engine == "pie":
            raise ConfigError(
                "iterative.step: engine 'pie' chooses its own step; leave out --step, or take an "
                "engine of pty-chi."
            )


@dataclass(frozen=True)
class Config(_Checked):
    """All settings of a run."""

    data: DataConfig = field(default_factory=DataConfig)
    """Which patterns are used, how they are read, and how they are grouped."""
    physics: PhysicsConfig = field(default_factory=PhysicsConfig)
    """The forward model."""
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    """What turns diffraction into an object."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """The optimisation."""
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    """Reconstruction of a whole scan."""
    refinement: RefinementConfig = field(default_factory=RefinementConfig)
    """Probe and positions made to agree with the patterns."""

    def to_yaml(self) -> str:
        """Return all settings as YAML."""
        return str(yaml.safe_dump(self.to_dict(), sort_keys=False))

    @classmethod
    def from_yaml(cls, text: str, name: str = "config") -> Self:
        """Build from YAML text; the name is for messages."""
        with _named(name):
            return cls.from_dict(_mapping(text))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a YAML file."""
        with _named(str(path)):
            return cls.from_dict(read_settings(path))


def read_settings(path: str | Path) -> dict[str, Any]:
    """Return what a YAML file of settings says, unchecked but for its form.

    Raises:
        ConfigError: It is no file, too large, no text, no YAML, or holds no named settings.
    """
    place = Path(path)
    try:
        if place.exists() and not place.is_file():
            raise ConfigError(f"{path}: found a folder or a pipe, wanted a YAML file of settings.")
        if place.stat().st_size > _LARGEST_FILE:
            raise ConfigError(f"{path}: found more than 1 MiB, wanted a YAML file of settings.")
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or said_briefly(error)
        raise ConfigError(
            f"{path}: cannot be read as a text file ({reason}), wanted a YAML file of settings; "
            "check the path."
        ) from error
    with _named(str(path)):
        return _mapping(text)


def _mapping(text: str) -> dict[str, Any]:
    """Return the named values of YAML text; nothing at all is none of them."""
    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"not readable as YAML ({_fault(error)}).") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"found {str(values)[:40]!r}, wanted named settings, as 'data: ...'.")
    return values


def _fault(error: Exception) -> str:
    """Return what is wrong with YAML text, and in which line where that is known."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return said_briefly(error)
    return f"line {mark.line + 1}: {getattr(error, 'problem', None) or said_briefly(error)}"


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Say in front of a refusal where the settings stand."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from error
