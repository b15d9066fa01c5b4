"""The weights that come with the package."""

from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from ptychopinn.bundle import load_pretrained, shipped_generators, trained_ranges
from ptychopinn.config import Config, GeneratorConfig, TrainingConfig, UnrolledConfig
from ptychopinn.errors import ConfigError
from ptychopinn.inference import reconstruct
from ptychopinn.training import train
from tests.conftest import make_scan, phase_error

LARGEST_BYTES = 12_000_000


def test_every_shipped_bundle_is_small_whole_and_described():
    folder = Path(str(files("ptychopinn"))) / "weights"
    assert "Trained on" in (folder / "README.md").read_text()
    for name in shipped_generators():
        assert 0 < (folder / f"{name}.h5.zip").stat().st_size < LARGEST_BYTES
        bundle = load_pretrained(GeneratorConfig(name=name))
        assert bundle.statistics["pretraining"]["seed"] == 0
        ranges = trained_ranges(bundle)
        assert ranges is not None
        assert ranges.low.n == 64
        assert ranges.high.photons_per_pattern > 1e8


def test_the_recipe_is_that_of_the_weights():
    text = (Path(str(files("ptychopinn"))) / "weights" / "recipe.yaml").read_text()
    recipe = yaml.safe_load(text)
    bundle = load_pretrained(GeneratorConfig())
    made = bundle.statistics["pretraining"]
    assert recipe["pretraining"] == {name: made[name] for name in recipe["pretraining"]}
    built = bundle.config.generator.unrolled.to_dict()
    assert recipe["unrolled"] == {name: built[name] for name in recipe["unrolled"]}


@pytest.mark.parametrize(("n", "modes"), [(24, 1), (33, 3), (64, 2)])
def test_one_set_of_weights_serves_every_size_and_number_of_modes(n, modes):
    scan = make_scan(n, modes=modes, photons=1e7)
    result = reconstruct(scan)
    assert phase_error(result.object, scan) < 0.2
    assert result.provenance["generator"] == "unrolled"


def test_settings_that_are_not_those_of_the_weights_are_refused():
    wrong = Config(generator=GeneratorConfig(unrolled=UnrolledConfig(stages=7)))
    with pytest.raises(
        ConfigError, match=r"unrolled.stages: the weights .* have 5, asked for was 7"
    ):
        reconstruct(make_scan(24, side=4), None, wrong)
    with pytest.raises(ConfigError, match="no weights for 'cnn' come with the package"):
        load_pretrained(GeneratorConfig(name="cnn"))


def test_training_can_start_from_them(tmp_path):
    scan = make_scan(24, photons=1e7)
    settings = TrainingConfig(init="pretrained", max_steps=1, learning_rate=1e-9, logger="none")
    tuned = train(scan, Config(training=settings), tmp_path)
    shipped = load_pretrained(GeneratorConfig())
    for name, value in shipped.generator.state_dict().items():
        assert abs(tuned.generator.state_dict()[name] - value).max() < 1e-6
    assert tuned.config.generator.unrolled.networks == 2


def test_weights_of_another_architecture_are_refused(tmp_path):
    small = UnrolledConfig(networks=1, width=8, depth=2)
    settings = TrainingConfig(init="pretrained", max_steps=1, logger="none")
    config = Config(generator=GeneratorConfig(unrolled=small), training=settings)
    with pytest.raises(ConfigError, match=r"unrolled.networks: .* have 2, asked for was 1"):
        train(make_scan(24, side=4), config, tmp_path)
