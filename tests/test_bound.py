"""The benchmark that holds a reconstruction against what its FFTs and convolutions would take."""

import pytest
import torch
from benchmarks.bound import measure, wait_for

from ptychopinn.errors import ConfigError
from ptychopinn.io import write_scan_npz
from tests.conftest import make_scan


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_the_share_of_the_bound_is_a_share(tmp_path, device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU is here")
    path = tmp_path / "scan.npz"
    write_scan_npz(path, make_scan(32))
    found = measure(str(path), None, rounds=1, device=device)
    assert 0 < found["bound_seconds"] < found["seconds"]
    assert found["share"] == pytest.approx(found["bound_seconds"] / found["seconds"])
    assert found["fft_seconds"] > 0 < found["network_seconds"]


def test_a_gpu_is_waited_for(monkeypatch):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    gpu = torch.device("cuda", 1)
    wait_for(torch.device("cpu"))
    wait_for(gpu)
    assert waited == [gpu]


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_gpu_that_is_not_there_is_said(tmp_path):
    write_scan_npz(tmp_path / "scan.npz", make_scan(32))
    with pytest.raises(ConfigError, match="has none"):
        measure(str(tmp_path / "scan.npz"), None, rounds=1, device="cuda")
