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
from ptycho.translation import chosen_part, frozen_config
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
        (TrainingConfig(model=ModelConfig(model_type="pin")), "pinn or supervised"),
    ],
)
def test_what_cannot_be_had_is_refused(config, said):
    with pytest.raises(ConfigError, match=said):
        frozen_config(config)


def test_what_has_no_effect_is_told(caplog):
    frozen_config(TrainingConfig(realspace_weight=0.5, model=ModelConfig(probe_mask=True)))
    assert "realspace_weight = 0.5 has no effect" in caplog.text
    assert "probe_mask = True has no effect" in caplog.text
    frozen_config(TrainingConfig(backend="tensorflow"))
    assert "PyTorch does the work" in caplog.text
    caplog.clear()
    frozen_config(TrainingConfig())
    assert not caplog.text


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
