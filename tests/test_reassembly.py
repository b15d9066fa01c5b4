import numpy as np
import pytest
import torch

from ptychopinn.physics.canvas import extract_patches
from ptychopinn.physics.probe import probes_at, shift_waves
from ptychopinn.reassembly import PatchSum, in_window_frame, merge_patches
from tests.conftest import asymmetric_object, smooth_probe


def windows(n=16, count=30, modes=2, shape=(48, 60), groups=1):
    rng = torch.Generator().manual_seed(0)
    room = torch.tensor([shape[0] - n, shape[1] - n])
    corners = (torch.rand(groups, count, 2, generator=rng) * (room + 1)).long()
    fractions = torch.rand(groups, count, 2, generator=rng)
    probes = probes_at(torch.from_numpy(smooth_probe(n, modes)), fractions)
    weight = probes.abs().square().sum(dim=2)
    return corners, fractions, weight


def test_patches_of_an_object_merge_to_that_object():
    truth = torch.from_numpy(asymmetric_object((48, 60)))[None]
    corners, _, weight = windows()
    merged = merge_patches(extract_patches(truth, corners, 16), weight, corners, (48, 60))
    lit = merged.abs() > 0
    assert lit.float().mean() > 0.5
    torch.testing.assert_close(merged[lit], truth[lit], rtol=1e-4, atol=1e-4)


def test_the_edge_of_the_scan_does_not_blow_up():
    """Trap: an unmasked numerator over a masked count. Noise at the rim must stay as it is."""
    corners, _, weight = windows()
    patches = torch.randn(1, 30, 16, 16, dtype=torch.complex64)
    merged = merge_patches(patches, weight, corners, (48, 60))
    assert merged.abs().max() <= patches.abs().max() * 1.001


def test_weighted_mean_by_hand():
    patches = torch.tensor([[[[2.0 + 0j]], [[5.0 + 0j]]]])
    weight = torch.tensor([[[[1.0]], [[3.0]]]])
    merged = merge_patches(patches, weight, torch.tensor([[[0, 0], [0, 0]]]), (1, 2))
    assert merged.tolist() == [[[4.25 + 0j, 0j]]]


@pytest.mark.parametrize("step", [1, 7, 30])
def test_streaming_gives_the_same(step):
    corners, _, weight = windows()
    patches = torch.randn(1, 30, 16, 16, dtype=torch.complex64)
    total = PatchSum((48, 60), patches)
    for start in range(0, 30, step):
        part = slice(start, start + step)
        total.add(patches[:, part], weight[:, part], corners[:, part])
    torch.testing.assert_close(total.merged(), merge_patches(patches, weight, corners, (48, 60)))


def test_patches_in_the_frame_of_the_probe_move_by_the_fraction():
    """A network that knows no fraction sees the object moved by -f; placing undoes it."""
    truth = torch.from_numpy(asymmetric_object((48, 60)))[None]
    corners, fractions, _ = windows()
    exact = extract_patches(truth, corners, 16)
    seen = shift_waves(exact, -fractions)
    moved = in_window_frame(seen, fractions, "probe")
    inner = (..., slice(4, 12), slice(4, 12))
    torch.testing.assert_close(moved[inner], exact[inner], rtol=0.02, atol=0.1)
    assert in_window_frame(seen, fractions, "window") is seen
    wrong = in_window_frame(seen, -fractions, "probe")
    assert (wrong - exact)[inner].abs().mean() > 3 * (moved - exact)[inner].abs().mean()


def test_gradients_reach_every_lit_patch():
    corners, _, weight = windows(groups=2)
    patches = torch.randn(2, 30, 16, 16, dtype=torch.complex64, requires_grad=True)
    merge_patches(patches, weight, corners, (48, 60)).abs().square().sum().backward()
    centre = patches.grad[..., 8, 8]
    assert np.isfinite(centre.abs().numpy()).all()
    assert (centre.abs() > 0).all()
