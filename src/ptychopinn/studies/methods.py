"""The methods that studies put side by side."""

import hashlib
from dataclasses import replace

from ptychopinn.bundle import load_pretrained
from ptychopinn.config import (
    CnnConfig,
    Config,
    DataConfig,
    GeneratorConfig,
    InferenceConfig,
    TrainingConfig,
)
from ptychopinn.errors import BundleError, ConfigError
from ptychopinn.generators import registration
from ptychopinn.inference import reconstruct
from ptychopinn.scan import Reconstruction, Scan
from ptychopinn.studies.records import Method, StudySize

#: The generator that weights come with the package for.
SHIPPED = "unrolled"
#: Endings of names for losses that are not the default.
_ENDINGS = {"poisson": "", "amplitude_mae": "-mae", "amplitude_mse": "-mse"}


def shipped_digest() -> str:
    """Return a digest of the weights that come with the package.

    Raises:
        ConfigError: None come with it.
    """
    try:
        bundle = load_pretrained(GeneratorConfig(name=SHIPPED))
    except BundleError as error:
        raise ConfigError(f"no weights for '{SHIPPED}' come with this package: {error}") from error
    digest = hashlib.sha256()
    for name, values in sorted(bundle.generator.state_dict().items()):
        digest.update(name.encode())
        digest.update(values.contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def reconstruct_zero_shot(scan: Scan, config: Config) -> Reconstruction:
    """Reconstruct with the weights that come with the package.

    Raises:
        ConfigError: None come with it.
    """
    return reconstruct(scan, None, config)


def uses_shipped_weights(method: Method) -> bool:
    """Tell whether the result depends on the weights that come with the package."""
    return method.kind == "shipped" or method.config.training.init == "pretrained"


def all_methods(
    architectures: tuple[str, ...],
    size: StudySize,
    seed: int,
    losses: tuple[TrainingConfig, ...] = (TrainingConfig(),),
) -> tuple[Method, ...]:
    """Return the methods of a study.

    For each architecture: self-supervised, with every loss; with the truth, where it answers with
    patches; from the weights that come with the package, where they are its own. And `pie`, with
    four times the sweeps too, and the shipped weights as they are.

    Args:
        architectures: Registered generators.
        size: Steps, sweeps, width.
        seed: Of weights and groups.
        losses: Settings whose `loss` is tried.

    Raises:
        ConfigError: An unknown generator, or one that learns nothing.
    """
    methods = []
    for name in architectures:
        _require_trainable(name)
        methods += [_self_supervised(name, size, seed, training) for training in losses]
        if not registration(name).any_size:
            methods.append(_supervised(name, size, seed))
        if name == SHIPPED:
            methods.append(_fine_tuned(name, size, seed))
    return (*methods, *direct_methods(size))


def direct_methods(size: StudySize) -> tuple[Method, ...]:
    """Return the methods that learn nothing from the scans of the study."""
    pie = _config("pie", InferenceConfig(stages=size.sweeps))
    patient = _config("pie", InferenceConfig(stages=4 * size.sweeps))
    return (
        Method("pie", "direct", pie, any_size=True),
        Method("pie-4x", "direct", patient, any_size=True),
        Method(f"{SHIPPED}-zero-shot", "shipped", _config(SHIPPED), any_size=True),
    )


def _require_trainable(name: str) -> None:
    if registration(name).steps == 0:
        raise ConfigError(
            f"architectures: '{name}' learns nothing; it is part of every study where it serves as "
            "a baseline, so leave it out."
        )


def _config(name: str, inference: InferenceConfig | None = None) -> Config:
    """Return settings without checks on halves, which a study does not show."""
    wanted = inference or InferenceConfig()
    return Config(generator=GeneratorConfig(name=name), inference=replace(wanted, checks=False))


def _self_supervised(name: str, size: StudySize, seed: int, training: TrainingConfig) -> Method:
    any_size = registration(name).any_size
    config = _trainable(name, size, seed)
    config = replace(config, training=replace(config.training, loss=training.loss))
    return Method(f"{name}{_ENDINGS[training.loss]}", "trained", config, any_size=any_size)


def _supervised(name: str, size: StudySize, seed: int) -> Method:
    """Same data, same backbone, same steps; only the judge differs."""
    config = _trainable(name, size, seed)
    taught = replace(config, training=replace(config.training, objective="supervised"))
    return Method(f"{name}-supervised", "trained", taught)


def _fine_tuned(name: str, size: StudySize, seed: int) -> Method:
    config = _trainable(name, size, seed)
    tuned = replace(config, training=replace(config.training, init="pretrained"))
    return Method(f"{name}-fine-tuned", "trained", tuned, any_size=True)


def _trainable(name: str, size: StudySize, seed: int) -> Config:
    """Return the settings that a generator is trained with; patch networks see the lifted wave."""
    training = TrainingConfig(seed=seed, logger="none")
    config = _config(name)
    if registration(name).any_size:
        steps = size.canvas_steps
        return replace(config, training=_for(training, steps))
    steps = size.patch_steps
    return replace(
        config,
        generator=GeneratorConfig(
            name=name,
            lift="backprojection",
            cnn=CnnConfig(width=size.width),
            fno=replace(size.fno, modes=min(size.fno.modes, size.n // 2)),
        ),
        training=replace(
            _for(training, steps),
            batch_size=size.patch_batch,
            learning_rate=size.learning_rate,
        ),
    )


def _for(training: TrainingConfig, steps: int) -> TrainingConfig:
    """Train for so many steps, with a checkpoint after each tenth."""
    return replace(training, max_steps=steps, epoch_steps=max(1, steps // 10))


def with_group_size(method: Method, group_size: int) -> Config:
    """Return the settings of a method for groups of a size, with batches of as many patterns."""
    config = method.config
    if method.any_size:
        return config
    batch = max(1, config.training.batch_size // group_size)
    return replace(
        config,
        data=DataConfig(group_size=group_size),
        training=replace(config.training, batch_size=batch),
    )
