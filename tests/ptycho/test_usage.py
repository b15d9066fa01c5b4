"""The usage of the generator registry as the original documents it, word for word."""

import sys

import torch

from ptycho_torch import config_params

USAGE = """\
from ptycho.config.config import TrainingConfig, ModelConfig
from ptycho_torch.generators.registry import resolve_generator

config = TrainingConfig(model=ModelConfig(architecture='fno'))
generator = resolve_generator(config)
model = generator.build_model(pt_configs)
"""


def test_the_documented_usage_runs(tmp_path):
    records = {
        "data_config": config_params.DataConfig(N=32, C=1, grid_size=(1, 1)),
        "model_config": config_params.ModelConfig(C_model=1, C_forward=1),
        "training_config": config_params.TrainingConfig(),
        "inference_config": config_params.InferenceConfig(),
    }
    script = tmp_path / "usage.py"
    script.write_text(USAGE)
    names = {"pt_configs": records}
    exec(compile(script.read_text(), str(script), "exec"), names)  # noqa: S102 - the text above
    lightning = sys.modules["lightning"]
    assert names["generator"].name == "fno"
    assert isinstance(names["model"], lightning.LightningModule)
    assert sum(p.numel() for p in names["model"].parameters() if isinstance(p, torch.Tensor)) > 0
