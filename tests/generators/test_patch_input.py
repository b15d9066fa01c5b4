import numpy as np
import pytest
import torch

from ptychopinn.generators.patch_input import PatchInput
from ptychopinn.physics.view import BatchView
from tests.contracts.test_generators import LIFTS, TRANSFORMS, batch, same_batch

each_input = pytest.mark.parametrize(
    "source", [PatchInput(lift, t) for lift in LIFTS for t in TRANSFORMS], ids=str
)


@each_input
def test_channels_are_counted_and_of_order_one_at_every_dose(source):
    few, many = (
        source(BatchView(same_batch(photons=photons, noise=False))).channels
        for photons in (1e3, 1e9)
    )
    assert few.shape == (2, source.count(4), 32, 32)
    assert 0.1 < few[:, :-1].square().mean().sqrt() < 3
    assert few.abs().max() < 30
    # In the lift, pixels with less than a photon in all may differ.
    assert (few - many).abs().mean() < (0.01 if source.lifted else 1e-4)


@each_input
def test_bad_pixels_are_marked_and_have_no_say(source):
    mask = np.ones((32, 32), dtype=bool)
    mask[3:6, 10:20] = mask[16, 16] = False
    bad = ~torch.from_numpy(mask)
    given = batch(mask=mask)
    channels = source(BatchView(given)).channels
    assert torch.equal(channels[:, -1], bad.float().expand(2, 32, 32))
    poisoned = given.counts.clone()
    poisoned[..., bad] = 1e9
    again = source(BatchView(given._replace(counts=poisoned))).channels
    torch.testing.assert_close(again, channels)


def test_without_bad_pixels_the_last_channel_is_empty():
    assert not PatchInput("none", "none")(BatchView(same_batch())).channels[:, -1].any()


def test_transforms_are_what_they_say():
    view = BatchView(same_batch())
    plain, root, log, norm = (PatchInput("none", t)(view).channels[:, :-1] for t in TRANSFORMS)
    power = view.weight.sum(dim=(-2, -1), keepdim=True)
    torch.testing.assert_close(plain, (view.batch.counts / power).sqrt() * 16)
    torch.testing.assert_close(root, plain.sqrt())
    torch.testing.assert_close(log, torch.log1p(plain))
    assert norm.mean(dim=(-2, -1)).abs().max() < 1e-4
    torch.testing.assert_close(norm.std(dim=(-2, -1)), torch.ones(2, 4), atol=0.02, rtol=0)


def test_instancenorm_has_an_answer_for_a_dark_pattern():
    given = same_batch()
    dark = given._replace(counts=torch.zeros_like(given.counts))
    assert torch.isfinite(PatchInput("none", "instancenorm")(BatchView(dark)).channels).all()


@pytest.mark.parametrize(("lift", "frame"), [("none", "probe"), ("backprojection", "window")])
def test_a_lift_knows_the_fractions_of_positions(lift, frame):
    assert PatchInput(lift, "none").frame == frame
    estimate = PatchInput(lift, "none")(BatchView(same_batch())).estimate
    assert (estimate is None) == (lift == "none")
