import platform

import pytest
import torch

from ptychopinn.physics import mkl_transform
from ptychopinn.physics.mkl_transform import load_transform


@pytest.fixture(autouse=True)
def fresh():
    load_transform.cache_clear()
    yield
    load_transform.cache_clear()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="MKL is for x86")
def test_the_torch_that_is_tested_here_brings_it():
    found = load_transform(64, 2)
    assert found is not None
    assert all(address > 0 for address in found)
    assert load_transform(64, 2) is found


def test_a_torch_without_it_is_said_once_and_is_no_error(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(mkl_transform, "_library_of_torch", lambda: tmp_path / "none.so")
    with caplog.at_level("INFO"):
        assert load_transform(64, 1) is None
        assert load_transform(64, 1) is None
    assert len(caplog.records) == 1
    assert "none.so" in caplog.text


def test_a_transform_that_differs_from_that_of_torch_is_not_used(monkeypatch, caplog):
    other = torch.fft.fft2
    monkeypatch.setattr(torch.fft, "fft2", lambda waves, norm=None: other(waves, norm=norm) * 1.001)
    with caplog.at_level("INFO"):
        assert load_transform(16, 1) is None
    assert "away from torch" in caplog.text


def test_a_size_that_mkl_refuses_is_not_used(caplog):
    with caplog.at_level("INFO"):
        assert load_transform(0, 1) is None
    assert "MKL returned" in caplog.text


@pytest.mark.parametrize("n", [2, 15, 64, 97, 256])
def test_sides_of_every_kind_are_transformed(n):
    if platform.machine() == "x86_64":
        assert load_transform(n, 1) is not None
