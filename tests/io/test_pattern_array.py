import numpy as np
import pytest

from ptychopinn.io import pattern_array
from ptychopinn.io.pattern_array import survey
from ptychopinn.processes import looking_together
from tests.threads_as_processes import together


class OnDisk:
    """Patterns that say which of them were read."""

    def __init__(self, values):
        self.values, self.read = values, []
        self.shape, self.dtype, self.nbytes = values.shape, values.dtype, values.nbytes

    def __len__(self):
        return len(self.values)

    def __getitem__(self, part):
        numbers = np.arange(len(self.values))[part[0] if isinstance(part, tuple) else part]
        self.read.extend(np.atleast_1d(numbers).tolist())
        return self.values[part]


@pytest.fixture
def patterns(monkeypatch):
    """Eleven patterns in as many pieces: two with faults, one dark."""
    values = np.random.default_rng(0).poisson(3.0, (11, 6, 6)).astype(np.float32) + 1
    values[2, 1, 1], values[9, 4, 5], values[9, 0, 0], values[7] = np.nan, -1, np.inf, 0
    monkeypatch.setattr(pattern_array, "CHUNK_BYTES", values[0].nbytes)
    return values


def looked_through(values, count):
    """What each of several processes finds, which patterns it reads, and what is summed."""
    mask = np.ones(values.shape[1:], dtype=bool)

    def work(here):
        file = OnDisk(values)
        with looking_together(here):
            return survey(file, mask), file.read, here.sums

    return together(work, count)


@pytest.mark.parametrize("count", [2, 3, 20])
def test_each_process_reads_its_share_and_all_know_the_same(patterns, count):
    alone = survey(patterns, np.ones((6, 6), dtype=bool))
    assert alone.faults.tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0]
    assert alone.faulty.sum() == 3
    assert np.flatnonzero(alone.peaks == 0).tolist() == [7]
    shares = looked_through(patterns, count)
    assert sorted(number for _, read, _ in shares for number in read) == list(range(11))
    for found, _, _ in shares:
        for mine, whole in zip(found, alone, strict=True):
            assert mine.dtype == whole.dtype
            np.testing.assert_array_equal(mine, whole)


def test_it_takes_one_sum_and_the_word_before_it(patterns):
    for _, _, sums in looked_through(patterns, 2):
        assert sums == [(2,), (11 + 36 + 11,)]


def test_an_array_that_lies_across_the_patterns_is_looked_through_by_each(patterns):
    """As in files with (y, x, pattern): it is in memory, and each piece is of all patterns."""
    across = np.ascontiguousarray(patterns.transpose(1, 2, 0)).transpose(2, 0, 1)
    mask = np.ones((6, 6), dtype=bool)

    def work(here):
        with looking_together(here):
            return survey(across, mask), here.sums

    for found, sums in together(work):
        assert not sums
        np.testing.assert_array_equal(found.peaks, survey(patterns, mask).peaks)


def test_outside_of_it_nobody_waits_for_others(patterns):
    with looking_together(pattern_array.ALONE):
        pass
    file = OnDisk(patterns)
    survey(file, np.ones((6, 6), dtype=bool))
    assert file.read == list(range(11))
