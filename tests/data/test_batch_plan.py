import numpy as np
import pytest
import torch

from ptychopinn.data.batch_plan import BatchPlan, ThreadShares
from ptychopinn.data.compact import Compact
from ptychopinn.physics.subsets import EVERY, Subset
from ptychopinn.processes import Processes


def corners(count=101):
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.integers(0, 500, (count, 2)))


@pytest.mark.parametrize("compact", [None, Compact(32)])
@pytest.mark.parametrize("count", [1, 3])
def test_processes_and_batches_hold_every_pattern_once(count, compact):
    plans = [
        BatchPlan.interleaved(corners(), 7, 4, processes=Processes(i, count), compact=compact)
        for i in range(count)
    ]
    members = np.concatenate([batch for plan in plans for batch in plan.members])
    np.testing.assert_array_equal(np.sort(members), np.arange(101))
    assert max(len(batch) for plan in plans for batch in plan.members) <= 7
    assert all((np.diff(batch) > 0).all() for plan in plans for batch in plan.members)


def test_subsets_of_processes_are_those_of_one_process():
    alone = BatchPlan.interleaved(corners(), 7, 4)
    shared = [BatchPlan.interleaved(corners(), 5, 4, processes=Processes(i, 2)) for i in range(2)]
    for subset in (Subset(1, 4), Subset(0, 2), EVERY):
        whole = np.concatenate([alone.members[i] for i in alone.of(subset)])
        parts = np.concatenate([plan.members[i] for plan in shared for i in plan.of(subset)])
        np.testing.assert_array_equal(np.sort(parts), np.sort(whole))


def test_compact_batches_cover_less_of_the_canvas():
    def area(plan):
        sizes = [np.ptp(corners(4000).numpy()[batch], axis=0) + 1 for batch in plan.members]
        return float(np.mean([height * width for height, width in sizes]))

    scattered = BatchPlan.interleaved(corners(4000), 16, 1)
    compact = BatchPlan.interleaved(corners(4000), 16, 1, compact=Compact(1))
    assert area(compact) < area(scattered) / 10


def test_more_processes_than_patterns():
    plans = [BatchPlan.interleaved(corners(3), 4, 1, processes=Processes(i, 5)) for i in range(5)]
    assert sorted(len(plan.members) for plan in plans) == [0, 0, 1, 1, 1]


def test_batches_are_kept_by_their_own_size():
    plan = BatchPlan([np.arange(size) for size in (5, 5, 1)], [0, 0, 0])
    kept = [plan.first_within(room, 10) for room in (0, 49, 50, 109, 110, 1e9)]
    assert kept == [0, 0, 1, 2, 3, 3]


def test_threads_share_all_batches_and_answer_for_none():
    threads = ThreadShares(torch.device("cpu"))
    shares = threads.work(list, list(range(10)))
    assert sorted(number for share in shares for number in share) == list(range(10))
    assert threads.work(list, []) == [[]]
