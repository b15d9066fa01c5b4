import ast
import dataclasses
import inspect
from typing import get_type_hints

import pytest
import yaml

from ptychopinn.config import Config, DataConfig, SimulationConfig, TrainingConfig, UnrolledConfig
from ptychopinn.errors import ConfigError


def sections(kind=Config):
    yield kind
    for hint in get_type_hints(kind).values():
        if dataclasses.is_dataclass(hint):
            yield from sections(hint)


@pytest.mark.parametrize("kind", [*sections(), SimulationConfig], ids=lambda k: k.__name__)
def test_every_field_is_documented_and_frozen(kind):
    tree = ast.parse(inspect.getsource(kind)).body[0]
    documented = set()
    for statement, after in zip(tree.body, tree.body[1:], strict=False):
        is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if isinstance(statement, ast.AnnAssign) and is_text:
            documented.add(statement.target.id)
    fields = {item.name for item in dataclasses.fields(kind)}
    assert fields <= documented
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(kind(), next(iter(fields)), None)


def test_yaml_round_trip():
    config = Config(
        data=DataConfig(region="y:0:240", group_size=9),
        training=TrainingConfig(learning_rate=3e-4, gradient_clip=None),
    )
    assert Config.from_yaml(config.to_yaml()) == config
    assert yaml.safe_load(config.to_yaml())["data"]["region"] == "y:0:240"


def test_missing_settings_keep_their_defaults():
    assert Config.from_dict({"training": {"seed": 5}}).training == TrainingConfig(seed=5)
    assert Config.from_yaml("") == Config()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"trainin": {}}, "trainin: unknown setting; did you mean 'training'"),
        ({"training": {"lerning_rate": 1}}, "did you mean 'learning_rate'"),
        ({"generator": {"unrolled": {"stagse": 1}}}, r"generator.unrolled.stagse.*'stages'"),
        ({"training": {"optimiser": "adm"}}, "got 'adm'; did you mean 'adam'"),
        ({"training": {"batch_size": 0}}, r"training.batch_size: expected >= 1.*got 0"),
        ({"training": {"learning_rate": float("nan")}}, "training.learning_rate: expected > 0"),
        ({"training": {"batch_size": 1.5}}, "training.batch_size: expected int, got 1.5"),
        ({"training": {"batch_size": True}}, "training.batch_size: expected int, got True"),
        ({"data": {"validation_fraction": 1}}, "< 1"),
        ({"data": {"region": 3}}, "data.region: expected str, got 3"),
        ({"training": 3}, "training: expected named settings, got 3"),
        ({"generator": {"unrolled": {"damping": -0.1}}}, "generator.unrolled.damping"),
    ],
)
def test_wrong_settings_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        Config.from_dict(values)


def test_whole_numbers_serve_as_floats():
    assert UnrolledConfig(step=1).step == 1


def test_files(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("training: {seed: 3}")
    assert Config.load(path).training.seed == 3
    path.write_text("training: [")
    with pytest.raises(ConfigError, match=r"a\.yaml: not readable as YAML"):
        Config.load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        Config.load(path)
    with pytest.raises(ConfigError, match=r"missing\.yaml: cannot be read"):
        Config.load(tmp_path / "missing.yaml")
    path.write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(ConfigError, match="not readable as YAML"):
        Config.load(path)
