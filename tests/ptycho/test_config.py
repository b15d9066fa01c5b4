import dataclasses
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ptycho import params
from ptycho.config.config import (
    InferenceConfig,
    ModelConfig,
    TrainingConfig,
    update_legacy_dict,
)
from ptycho.translation import chosen_part, frozen_config, tell_what_has_no_effect
from ptychopinn.errors import ConfigError
from tests.conftest import make_scan

SOURCE = Path(__file__).parents[2] / "src"


@pytest.mark.parametrize("record", [ModelConfig, TrainingConfig, InferenceConfig])
def test_unknown_names_are_refused_with_the_nearest_known_one(record):
    with pytest.raises(ConfigError, match="no such setting"):
        record(no_such_thing=1)
    with pytest.raises(ConfigError, match="did you mean 'gridsize'"):
        ModelConfig(grid_size=2)
    with pytest.raises(ConfigError, match="did you mean 'nepochs'"):
        TrainingConfig().epochs = 3


def test_records_are_mutable_and_equal_after_pickling():
    config = TrainingConfig(model=ModelConfig(architecture="fno", N=0), output_dir=Path("out"))
    config.model.N = 128
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301 - our own bytes


def test_settings_arrive_in_the_frozen_ones():
    model = ModelConfig(gridsize=2, architecture="fno", amp_activation="silu", n_filters_scale=4)
    config = TrainingConfig(
        model=model,
        nepochs=7,
        batch_size=3,
        n_groups=50,
        neighbor_count=6,
        nll_weight=0,
        mae_weight=1,
        probe_trainable=True,
        subsample_seed=5,
        torch_accelerator="gpu",
        torch_logger="none",
        torch_num_workers=2,
    )
    made = frozen_config(config, patterns=100)
    assert made.generator.name == "fno"
    assert made.generator.lift == "backprojection"
    assert made.generator.cnn.width == 2
    assert made.generator.fno.amplitude_activation == "swish"
    assert (made.data.group_size, made.data.neighbours) == (4, 6)
    assert made.data.groups_per_pattern == 0.5
    assert (made.training.epochs, made.training.batch_size, made.training.seed) == (7, 3, 5)
    assert made.training.loss == "amplitude_mae"
    assert made.refinement.refine_probe
    assert (made.training.device, made.training.logger) == ("cuda", "none")
    assert (made.training.num_workers, made.training.learning_rate) == (2, config.learning_rate)


def test_the_later_names_win():
    config = TrainingConfig(
        model=ModelConfig(gridsize=2), neighbor_pool_size=9, torch_learning_rate=0.01
    )
    made = frozen_config(config)
    assert (made.data.neighbours, made.training.learning_rate) == (9, 0.01)


def test_a_part_of_the_patterns_is_drawn_or_the_first():
    scan = make_scan(32)
    drawn = chosen_part(scan, TrainingConfig(n_subsample=20, subsample_seed=3))
    assert drawn.n_patterns == 20
    assert len(np.unique(drawn.positions_px, axis=0)) == 20
    again = chosen_part(scan, TrainingConfig(n_subsample=20, subsample_seed=3))
    np.testing.assert_array_equal(drawn.patterns, again.patterns)
    other = chosen_part(scan, TrainingConfig(n_subsample=20, subsample_seed=4))
    assert not np.array_equal(drawn.positions_px, other.positions_px)
    first = chosen_part(scan, TrainingConfig(n_subsample=20, sequential_sampling=True))
    np.testing.assert_array_equal(first.patterns, scan.patterns[:20])
    assert chosen_part(scan, TrainingConfig(n_subsample=10**6)) is scan
    with pytest.raises(ConfigError, match="n_subsample: found 0"):
        chosen_part(scan, TrainingConfig(n_subsample=0))


def test_supervised_is_an_objective():
    supervised = frozen_config(TrainingConfig(model=ModelConfig(model_type="supervised")))
    assert supervised.training.objective == "supervised"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (TrainingConfig(mae_weight=1.0), "wanted one of them above 0"),
        (TrainingConfig(nll_weight=0.0), "both are 0"),
        (TrainingConfig(positions_provided=False), "positions_provided"),
        (TrainingConfig(nepochs=0), "training.epochs"),
        (TrainingConfig(scheduler="Expotential"), "scheduler: .*did you mean 'Exponential'"),
        (TrainingConfig(model=ModelConfig(architecture="fnoo")), "architecture: .*mean 'fno'"),
        (TrainingConfig(model=ModelConfig(model_type="pin")), "pinn or supervised"),
    ],
)
def test_what_cannot_be_had_is_refused(config, said):
    with pytest.raises(ConfigError, match=said):
        frozen_config(config)


def test_what_has_no_effect_is_told(caplog):
    model = ModelConfig(probe_mask=True, architecture="hybrid_resnet")
    tell_what_has_no_effect(TrainingConfig(realspace_weight=0.5, model=model))
    assert "realspace_weight = 0.5 has no effect" in caplog.text
    assert "probe_mask = True has no effect" in caplog.text
    assert "architecture = 'hybrid_resnet' is not here; 'hybrid' is trained" in caplog.text
    tell_what_has_no_effect(TrainingConfig(backend="tensorflow"))
    assert "PyTorch does the work" in caplog.text
    caplog.clear()
    tell_what_has_no_effect(TrainingConfig())
    tell_what_has_no_effect(InferenceConfig())
    assert not caplog.text


#: Where another number, or the other truth, would say nothing.
OTHER = {
    "model_type": "supervised",
    "architecture": "fno",
    "amp_activation": "softplus",
    "lift": "none",
    "fno_input_transform": "sqrt",
    "generator_output_mode": "real_imag",
    "scheduler": "Exponential",
    "torch_scheduler": "ReduceLROnPlateau",
    "optimizer": "sgd",
    "nll_weight": 0.5,
    "mae_weight": 0.0,
    "plateau_factor": 0.25,
    "torch_plateau_factor": 0.25,
    "backend": "tensorflow",
    "torch_accelerator": "cpu",
    "torch_logger": "none",
}
#: Places and data, the choice of patterns (`chosen_part`), the weights that only name a loss, and
#: what the counts say better.
ELSEWHERE = {
    *("model", "N", "train_data_file", "test_data_file", "model_path", "output_dir", "debug"),
    *("n_subsample", "sequential_sampling", "enable_oversampling", "nll_weight", "mae_weight"),
    "nphotons",
}


def other_value(record, name):
    if name in OTHER:
        return OTHER[name]
    usual = getattr(record(), name)
    return not usual if isinstance(usual, bool) else (usual or 0) + 5


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (record, item.name)
        for record in (ModelConfig, TrainingConfig)
        for item in dataclasses.fields(record)
        if item.name not in ELSEWHERE
    ],
)
def test_every_setting_is_mapped_or_refused_or_told(record, name, caplog):
    def made(**changed):
        model = ModelConfig(**{"gridsize": 2, **(changed if record is ModelConfig else {})})
        return TrainingConfig(model=model, **({} if record is ModelConfig else changed))

    config = made(**{name: other_value(record, name)})
    try:
        dealt_with = frozen_config(config, 100) != frozen_config(made(), 100)
    except ConfigError as error:
        dealt_with = name in str(error)
    tell_what_has_no_effect(config)
    assert dealt_with + len(caplog.messages) == 1, caplog.text


@pytest.mark.parametrize(
    "name",
    [
        item.name
        for item in dataclasses.fields(InferenceConfig)
        if item.name not in ELSEWHERE | {"torch_accelerator", "torch_inference_batch_size"}
    ],
)
def test_every_setting_of_a_reconstruction_is_used_or_told(name, caplog):
    tell_what_has_no_effect(InferenceConfig(**{name: other_value(InferenceConfig, name)}))
    assert [f"{name} = " in line for line in caplog.messages] == [True]


def test_settings_of_spectral_networks_and_of_the_schedule_arrive():
    model = ModelConfig(
        architecture="neuralop_uno",
        fno_modes=5,
        fno_width=6,
        fno_blocks=7,
        fno_cnn_blocks=0,
        fno_input_transform="log1p",
        max_hidden_channels=24,
        generator_output_mode="amp_phase_logits",
    )
    config = TrainingConfig(
        model=model,
        batch_size=3,
        nepochs=40,
        scheduler="WarmupCosine",
        lr_warmup_epochs=10,
        torch_accumulate_grad_batches=2,
        gradient_clip_val=0,
    )
    made = frozen_config(config)
    spectral = made.generator.fno
    assert made.generator.name == "uno"
    assert (spectral.modes, spectral.width, spectral.blocks) == (5, 6, 7)
    assert (spectral.refiner_blocks, spectral.most_channels) == (0, 24)
    assert (made.generator.input_transform, made.generator.head) == ("log1p", "amp_phase")
    assert (made.training.schedule, made.training.warmup_fraction) == ("warmup_cosine", 0.25)
    assert (made.training.batch_size, made.training.gradient_clip) == (6, None)
    plateau = TrainingConfig(torch_scheduler="ReduceLROnPlateau", torch_plateau_factor=0.3)
    training = frozen_config(plateau).training
    assert (training.schedule, training.decay) == ("plateau", 0.3)


@pytest.mark.parametrize("architecture", ["hybrid_resnet", "stable_hybrid", "neuralop_uno"])
def test_names_of_networks_of_the_original_are_taken(architecture):
    found = frozen_config(TrainingConfig(model=ModelConfig(architecture=architecture)))
    assert found.generator.name == ("uno" if architecture == "neuralop_uno" else "hybrid")


def test_the_flat_dictionary_has_the_old_names(monkeypatch):
    monkeypatch.setattr(params, "cfg", dict(params.cfg))
    config = TrainingConfig(model=ModelConfig(N=128, object_big=False), output_dir=Path("a/b"))
    update_legacy_dict(params.cfg, config)
    assert params.get("N") == 128
    assert params.get("object.big") is False
    assert params.get("output_prefix") == "a/b"
    assert "model" not in params.cfg
    assert "test_data_file_path" not in params.cfg  # None is left out
    params.set("N", 64)
    assert params.get("N") == 64
    assert config.model.N == 128  # one way only
    with pytest.raises(KeyError):
        params.get("no such key")


def test_the_settings_need_neither_torch_nor_numpy():
    code = (
        "import sys, ptycho.config.config; "
        "print([m for m in ('torch', 'numpy', 'lightning', 'tensorflow') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_nothing_in_ptychopinn_knows_the_old_names():
    for path in (SOURCE / "ptychopinn").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for line in text.splitlines():
            words = line.split()
            old = words[:1] in (["import"], ["from"]) and words[1].split(".")[0] == "ptycho"
            assert not old, f"{path}: {line}"
