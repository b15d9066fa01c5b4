import pytest
import torch

from ptychopinn.device import (
    cache_bytes,
    free_bytes,
    own_threads,
    thread_count,
    threads_of_torch,
)

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
MIB = 2**20


@pytest.fixture
def gpu_of_1000_mib(monkeypatch):
    """A GPU that has 600 MiB left, and 300 that torch took and does not use."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (600 * MIB, 1000 * MIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 400 * MIB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 100 * MIB)


def test_a_processor_keeps_256_mib_of_patterns():
    assert free_bytes(CPU) is None
    assert cache_bytes(None, CPU, taken=1e12) == 256 * MIB


@pytest.mark.usefixtures("gpu_of_1000_mib")
def test_a_gpu_keeps_half_of_what_is_free():
    assert free_bytes(CUDA) == 900 * MIB
    assert cache_bytes(None, CUDA) == 450 * MIB
    assert cache_bytes(None, CUDA, taken=100 * MIB) == 400 * MIB
    assert cache_bytes(None, CUDA, taken=2000 * MIB) == 0


@pytest.mark.usefixtures("gpu_of_1000_mib")
@pytest.mark.parametrize("device", [CPU, CUDA])
def test_the_setting_has_the_last_word(device):
    assert cache_bytes(3, device) == 3 * MIB
    assert cache_bytes(0, device) == 0


def test_torch_keeps_to_one_thread_while_ours_work():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with own_threads():
            assert (torch.get_num_threads(), thread_count()) == (1, 3)
            with own_threads():
                assert (torch.get_num_threads(), thread_count()) == (1, 3)
            with threads_of_torch():
                assert torch.get_num_threads() == 3
            assert torch.get_num_threads() == 1
        assert (torch.get_num_threads(), thread_count()) == (3, 3)
        with threads_of_torch():
            assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
