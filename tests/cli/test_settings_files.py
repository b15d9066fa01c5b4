import pytest
import yaml

from ptychopinn.cli import main as entry
from ptychopinn.cli.commands import COMMANDS
from ptychopinn.cli.parser import parse
from ptychopinn.config import Config
from ptychopinn.errors import ConfigError

#: What a command must be given, and one of its settings that is not the default.
GIVEN = {
    "simulate": (["-o", "x.npz"], ["--n", "32"]),
    "inspect": (["x.npz"], ["--crop", "24"]),
    "convert": (["x.npz", "y.cxi"], ["--crop", "24"]),
    "check": (["x.npz"], ["--crop", "24"]),
    "orient": (["x.npz"], ["--crop", "24"]),
    "train": (["x.npz"], ["--learning-rate", "0.01"]),
    "pretrain": ([], ["--steps", "7"]),
    "reconstruct": (["x.npz", "y.npz"], ["--checks", "false"]),
    "refine": (["out/image"], ["--epochs", "7"]),
}


def names(error, path, *words):
    """Tell whether a refusal is one line that starts with the file and holds these words."""
    said = str(error.value)
    assert said.startswith(f"{path}: "), said
    assert "\n" not in said
    return all(word in said for word in words)


def printed(capsys, command, *arguments):
    capsys.readouterr()
    with pytest.raises(SystemExit) as done:
        entry.main([command, *arguments, "--print-config"])
    assert done.value.code == 0
    return capsys.readouterr().out


def test_every_command_with_settings_is_tried():
    assert set(GIVEN) == {name for name, command in COMMANDS.items() if command.sections}


@pytest.mark.parametrize("name", GIVEN)
def test_what_is_printed_is_read_again(name, tmp_path, capsys):
    needed, flags = GIVEN[name]
    path = tmp_path / "a.yaml"
    path.write_text(printed(capsys, name, *needed, *flags))
    assert yaml.safe_load(path.read_text()).keys() <= COMMANDS[name].sections.keys()
    _, wanted = parse(COMMANDS[name], [*needed, *flags])
    _, found = parse(COMMANDS[name], [*needed, "--config", str(path)])
    assert found == wanted
    assert found != parse(COMMANDS[name], needed)[1]
    assert printed(capsys, name, *needed, "--config", str(path)) == path.read_text()


def test_printed_settings_of_reconstruct_do_not_contradict_the_weights(tmp_path, capsys):
    """A default that nobody asked for is no wish: the weights bring their own."""
    path = tmp_path / "a.yaml"
    path.write_text(printed(capsys, "reconstruct", "x.npz"))
    parsed, _ = parse(COMMANDS["reconstruct"], ["x.npz", "--config", str(path)])
    assert "generator" not in parsed.given
    answer = printed(capsys, "reconstruct", "x.npz", "--generator.pie.stages", "3")
    assert yaml.safe_load(answer)["generator"] == {"pie": {"stages": 3}}


@pytest.mark.parametrize("name", ["train", "reconstruct", "inspect", "check"])
def test_the_settings_of_a_run_serve_every_command(name, tmp_path):
    """Sections that a command does not have are left out, but not unchecked."""
    path = tmp_path / "config.yaml"
    path.write_text(Config.from_dict({"data": {"crop": 24}}).to_yaml())
    _, found = parse(COMMANDS[name], ["x.npz", f"--config={path}"])
    assert found["data"]["crop"] == 24
    path.write_text("data: {crop: 24}\ninference: {stage: 3}\n")
    with pytest.raises(ConfigError) as error:
        parse(COMMANDS[name], ["x.npz", "--config", str(path)])
    assert names(error, path, "inference.stage", "did you mean 'stages'?")


def test_one_section_from_a_file(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text("learning_rate: 0.01\n")
    flags = ["--training", str(path), "--generator.unrolled={stages: 3}", "--seed", "4"]
    _, found = parse(COMMANDS["train"], ["x.npz", *flags])
    assert found["training"]["learning_rate"] == 0.01
    assert found["training"]["seed"] == 4
    assert found["generator"]["unrolled"]["stages"] == 3


FAULTS = {
    "training: [\nb": ("--config", "not readable as YAML (line 2:"),
    "[]": ("--config", "found '[]', wanted named settings"),
    "7": ("--config", "found '7', wanted named settings"),
    "trainin: {}": ("--config", "did you mean 'training'?"),
    "training: 3": ("--config", "training: expected named settings"),
    "simulation: {n: 32}": ("--config", "wanted some of data, physics"),
    "lerning_rate: 1": ("--training", "did you mean 'learning_rate'?"),
    "learning_rate: -1": ("--training", "learning_rate: expected > 0"),
    "- 1": ("--training", "wanted named settings"),
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_faulty_file_is_named(text, tmp_path):
    flag, words = FAULTS[text]
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        parse(COMMANDS["train"], ["x.npz", flag, str(path)])
    assert names(error, path, words)


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("simulate", "simulation: {photon: 3}"),
        ("pretrain", "pretraining: {step: 3}"),
        ("pretrain", "unrolled: {stage: 3}"),
    ],
)
def test_the_files_of_other_commands_are_checked_alike(command, text, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        parse(COMMANDS[command], [*GIVEN[command][0], "--config", str(path)])
    assert names(error, path, "unknown setting; did you mean")


FLAGS = {
    "--epochs many": "training.epochs: expected int or none, got 'many'.",
    "--max-seconds nan": "training.max_seconds: expected float or none, got 'nan'.",
    "--threads 3.4": "training.threads: expected int or none, got '3.4'.",
    "--loss poison": "got 'poison'; did you mean 'poisson'?",
    "--conf a.yaml": "--conf: unknown flag; did you mean '--config'?",
    "--training nowhere": "--training: found 'nowhere', wanted a YAML file of its settings.",
    "--training no.yaml": "no.yaml: cannot be read as a text file (No such file or directory)",
    "--generator.unrolled {stage:": "--generator.unrolled: found '{stage:', wanted settings",
    "--config": "--config: found nothing after it, wanted a YAML file of settings.",
}


@pytest.mark.parametrize("flags", FLAGS)
def test_wrong_values_get_one_plain_sentence(flags):
    with pytest.raises(ConfigError) as error:
        parse(COMMANDS["train"], ["x.npz", *flags.split(" ")])
    said = str(error.value)
    assert FLAGS[flags] in said
    assert not any(word in said for word in ("Union", "<class", "\n", "?.", ".."))


def test_a_wrong_plain_argument():
    with pytest.raises(ConfigError, match=r"^--seed: expected int, got 'many'; see --help\.$"):
        parse(COMMANDS["study"], ["lines", "--seed", "many"])
