from pathlib import Path

import pytest

from ptycho.commands.flags import parser_of, record_of
from ptycho.config.config import InferenceConfig, TrainingConfig
from ptychopinn.errors import ConfigError, DataError


def parsed(record, *arguments):
    return record_of(record, vars(parser_of(record, "program", "").parse_args(arguments)))


def test_every_setting_is_a_flag_in_both_spellings():
    made = parsed(
        TrainingConfig, "--train_data_file", "a.npz", "--nll-weight", "0", "--mae_weight", "1"
    )
    assert made.train_data_file == Path("a.npz")
    assert (made.nll_weight, made.mae_weight) == (0, 1)
    assert made.output_dir == Path("training_outputs")
    assert parsed(TrainingConfig, "--gridsize", "3").model.gridsize == 3


def test_switches_take_a_word_or_none():
    assert parsed(TrainingConfig, "--probe_trainable").probe_trainable
    assert not parsed(TrainingConfig, "--positions_provided", "false").positions_provided
    with pytest.raises(ConfigError, match="true or false"):
        parsed(TrainingConfig, "--probe_trainable", "maybe")


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("learning_rate: 1e-4", "learning_rate", 1e-4),  # text to YAML 1.1
        ("nphotons: 1e9", "nphotons", 1e9),
        ("batch_size: 1e2", "batch_size", 100),
        ("batch_size: 8.0", "batch_size", 8),
        ("subsample_seed: 9007199254740993", "subsample_seed", 2**53 + 1),
        ("mae_weight: 1", "mae_weight", 1.0),
        ("probe_trainable: 'yes'", "probe_trainable", True),
        ("n_groups: null", "n_groups", None),
        ("test_data_file: a.npz", "test_data_file", Path("a.npz")),
    ],
)
def test_values_of_a_file_become_the_type_of_their_setting(tmp_path, text, name, value):
    (tmp_path / "c.yaml").write_text(text)
    made = getattr(parsed(TrainingConfig, "--config", str(tmp_path / "c.yaml")), name)
    assert made == value
    assert type(made) is type(value) or isinstance(value, Path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learning_rate: fast", "learning_rate: expected a number, got 'fast'"),
        ("nepochs: 2.5", "nepochs: expected a whole number, got 2.5"),
        ("nepochs: null", "nepochs: expected a whole number, got None"),
        ("nepochs: true", "nepochs: expected a whole number, got True"),
        ("torch_logger: 3", "torch_logger: expected a word, got 3"),
        ("output_dir: [a]", "output_dir: expected the name of a file"),
        ("model: {gridsize: two}", "gridsize: expected a whole number"),
    ],
)
def test_values_of_another_type_are_refused(tmp_path, text, said):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        parsed(TrainingConfig, "--config", str(tmp_path / "c.yaml"))


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path):
    (tmp_path / "c.yaml").write_text(
        "nepochs: 9\nbatch_size: 4\noutput_dir: there\nmodel:\n  gridsize: 2\n"
    )
    made = parsed(TrainingConfig, "--config", str(tmp_path / "c.yaml"), "--nepochs", "3")
    assert (made.nepochs, made.batch_size, made.model.gridsize) == (3, 4, 2)
    assert made.output_dir == Path("there")


def test_a_file_with_unknown_names_or_none_is_refused(tmp_path):
    (tmp_path / "c.yaml").write_text("n_epochs: 9\n")
    with pytest.raises(ConfigError, match="did you mean 'nepochs'"):
        parsed(TrainingConfig, "--config", str(tmp_path / "c.yaml"))
    with pytest.raises(DataError, match=r"none\.yaml"):
        parsed(InferenceConfig, "--config", str(tmp_path / "none.yaml"))


def test_help_says_what_a_flag_does():
    told = parser_of(TrainingConfig, "program", "").format_help()
    assert "Passes over the groups. (default: 50)" in " ".join(told.split())
