import numpy as np
import pytest
import torch

from ptychopinn.inference import ScanView, Streaming
from ptychopinn.physics.subsets import EVERY, Subset, most_subsets, visiting_order, z_order
from ptychopinn.physics.view import BatchView
from tests.conftest import make_scan
from tests.contracts.test_generators import batch


def test_the_curve_is_that_of_morton():
    y, x = torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij")
    corners = torch.stack([y, x], dim=-1).reshape(16, 2)
    expected = [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]
    assert z_order(corners).tolist() == expected
    assert z_order(torch.stack([corners, corners])).tolist() == [expected] * 2


def test_every_fourth_pattern_along_the_curve_covers_the_scan():
    """A raster taken column by column: plain strides would give stripes."""
    y, x = torch.meshgrid(torch.arange(16) * 5, torch.arange(16) * 5, indexing="ij")
    corners = torch.stack([y, x], dim=-1).reshape(256, 2)
    order = z_order(corners)
    for index in range(4):
        chosen = corners[order[index::4]].double()
        assert (chosen.mean(dim=0) - corners.double().mean(dim=0)).abs().max() < 4
        assert (chosen.std(dim=0) - corners.double().std(dim=0)).abs().max() < 2


@pytest.mark.parametrize(
    ("patterns", "most"), [(1, 1), (3, 1), (4, 2), (15, 4), (16, 8), (999, 256)]
)
def test_a_subset_keeps_two_patterns(patterns, most):
    assert most_subsets(patterns) == most


def test_visits_are_far_apart():
    assert [subset.index for subset in visiting_order(8)] == [0, 4, 2, 6, 1, 5, 3, 7]
    assert visiting_order(1) == [EVERY]


@pytest.mark.parametrize("count", [2, 4])
def test_subsets_of_a_batch_add_up_to_the_whole(count):
    view = BatchView(batch(size=9))
    canvas = torch.ones_like(view.illumination) * (1 + 0.2j)
    parts = visiting_order(count)
    torch.testing.assert_close(
        sum(view.update(canvas, part) for part in parts), view.update(canvas)
    )
    torch.testing.assert_close(sum(view.illumination_of(part) for part in parts), view.illumination)
    assert not torch.equal(view.update(canvas, parts[0]), view.update(canvas, parts[1]))


@pytest.mark.parametrize("cache_bytes", [0.0, 2**20])
def test_subsets_of_a_scan_add_up_and_nest(cache_bytes):
    scan = make_scan(32)
    view = ScanView(scan, Streaming(3, torch.device("cpu"), cache_bytes), subsets=4)
    canvas = torch.ones_like(view.illumination) * (1 + 0.2j)
    fine = [Subset(index, 4) for index in range(4)]
    torch.testing.assert_close(
        view.update(canvas, fine[1]) + view.update(canvas, fine[3]),
        view.update(canvas, Subset(1, 2)),
    )
    whole = ScanView(scan, Streaming(8, torch.device("cpu")))
    torch.testing.assert_close(view.update(canvas), whole.update(canvas), rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(sum(view.illumination_of(part) for part in fine), whole.illumination)


def test_a_scan_and_a_batch_cut_the_same_subsets():
    """Pace that is learned on groups must mean the same on a whole scan."""
    scan = make_scan(32)
    view = ScanView(scan, Streaming(8, torch.device("cpu")), subsets=4)
    order = z_order(torch.from_numpy((np.floor(scan.positions_px) - 16).astype(np.int64)))
    for subset in visiting_order(4):
        members = [m for n in view._batches.of(subset) for m in view._batches.members[n]]
        assert sorted(members) == sorted(order[subset.index :: 4].tolist())


def test_a_subset_lies_within_another_one_when_all_of_its_patterns_do():
    for outer in visiting_order(4):
        for part in visiting_order(8):
            held = set(range(part.index, 64, part.count)) <= set(range(outer.index, 64, 4))
            assert part.within(outer) == held
    assert Subset(3, 4).within(EVERY)
    assert not EVERY.within(Subset(0, 4))
