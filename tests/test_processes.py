import numpy as np
import torch

from ptychopinn.processes import ALONE
from tests.threads_as_processes import together


def test_several_values_are_summed_by_one_collective():
    shapes = ((1, 3, 5), (3, 5), (2, 4, 4))
    wave = torch.randn(shapes[0], dtype=torch.complex64)
    real, other = torch.randn(shapes[1]), torch.randn(shapes[2], dtype=torch.complex64)

    def work(processes):
        share = 1 + processes.index
        found = processes.add_up_together(share * wave, share * real, share * other)
        return found, processes.sums

    for found, sums in together(work):
        for got, one in zip(found, (wave, real, other), strict=True):
            assert got.dtype == one.dtype
            torch.testing.assert_close(got, 3 * one)
        assert sums == [(2,), (30 + 15 + 64,)]  # the word before it, and the sum


def test_each_fills_in_its_part():
    def work(processes):
        first, second = np.zeros(5), np.zeros((2, 2))
        mine = processes.share(np.arange(5))
        first[mine] = mine
        second[processes.index] = 7
        return processes.fill_in(first, second)

    for first, second in together(work):
        np.testing.assert_array_equal(first, np.arange(5))
        np.testing.assert_array_equal(second, np.full((2, 2), 7))


def test_one_process_gets_back_what_it_gave():
    value = torch.ones(2)
    assert ALONE.add_up_together(value) == (value,)
    (array,) = ALONE.fill_in(np.ones(2))
    np.testing.assert_array_equal(array, np.ones(2))
