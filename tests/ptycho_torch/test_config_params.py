import dataclasses
import multiprocessing
import subprocess
import sys

import pytest

from ptycho_torch.config_params import (
    DataConfig,
    DatagenConfig,
    InferenceConfig,
    ModelConfig,
    TrainingConfig,
)

RECORDS = (DataConfig, ModelConfig, TrainingConfig, InferenceConfig, DatagenConfig)


def changed(record):
    return record


def test_importing_them_needs_neither_torch_nor_lightning():
    code = (
        "import sys, ptycho_torch.config_params; "
        "print([m for m in ('torch', 'lightning', 'numpy') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_they_come_back_equal_from_a_spawned_process():
    sent = [record() for record in RECORDS]
    sent[2].n_devices = 3
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(changed, sent) == sent


@pytest.mark.parametrize("record", RECORDS)
def test_they_are_mutable_and_refuse_unknown_names(record):
    made = record()
    for item in dataclasses.fields(made):
        setattr(made, item.name, getattr(made, item.name))
    with pytest.raises(TypeError, match="no_such_setting"):
        record(no_such_setting=1)
