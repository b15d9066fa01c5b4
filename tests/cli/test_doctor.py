import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch

from ptychopinn.cli.main import main
from ptychopinn.doctor import machine
from ptychopinn.doctor.parts import OPTIONAL, REQUIRED, Part, find_parts

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_json_tells_machine_parts_and_trials(capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["works"]
    assert found["machine"]["free_disk_bytes"] > 0
    assert found["machine"]["torch_threads"] == torch.get_num_threads()
    versions = {part["name"]: part["version"] for part in found["required"]}
    assert versions["torch"] == torch.__version__
    assert [test["name"] for test in found["self_test"]] == ["FFT", "compressed HDF5", "small scan"]
    assert all(test["works"] for test in found["self_test"])


def test_a_torch_that_does_not_load_is_a_row_and_exit_code_1(tmp_path):
    (tmp_path / "torch.py").write_text('raise ImportError("libtorch.so: cannot open")\n')
    result = subprocess.run(
        [sys.executable, "-m", "ptychopinn", "doctor"],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert "libtorch.so: cannot open" in result.stdout
    assert "broken" in result.stdout


def test_a_missing_part_has_no_version():
    (found,) = find_parts((Part("no-such", "no_such_module", "nothing", "pip install no-such"),))
    assert found.version is None
    assert found.command == "pip install no-such"


def test_every_dependency_of_the_package_is_looked_for():
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    needed = {re.match(r"[\w-]+", line).group() for line in project["dependencies"]}
    assert {part.name for part in REQUIRED} == needed | {"ptychopinn"}
    assert all(part.version for part in find_parts(REQUIRED) if part.name != "ptychopinn")


@pytest.mark.parametrize("part", [*REQUIRED, *OPTIONAL], ids=lambda part: part.name)
def test_every_part_tells_how_it_is_added(part):
    assert part.command.startswith("pip install ")
    assert part.purpose


def test_hidden_gpus_are_told(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine.find_accelerator() == (None, "CUDA_VISIBLE_DEVICES hides every GPU; unset it")
