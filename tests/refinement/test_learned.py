"""Probe and positions as parameters: gradients, gauge, bounds, and what stays frozen."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ptychopinn.config import RefinementConfig, TrainingConfig
from ptychopinn.data import GroupDataset, collate_groups, group_patterns
from ptychopinn.errors import ConfigError, TrainingError
from ptychopinn.generators import GeneratorSize, build_generator
from ptychopinn.model import PtychoModule
from ptychopinn.refinement import LearnedScan
from tests.conftest import make_scan
from tests.training.test_run import config

EVERYTHING = RefinementConfig(refine_probe=True, refine_positions="points", position_bound_px=2.0)
PARTS = ["probe_change", "affine_px", "moves_px"]


def batch_of(scan, groups=3):
    found = group_patterns(scan.positions_px, 4, groups, rng=np.random.default_rng(0))
    dataset = GroupDataset(scan, found)
    return collate_groups(dataset)([dataset[number] for number in range(groups)])


def anywhere(learned, size=0.3):
    """The same with random values in every parameter."""
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in learned.parameters():
            value.copy_(size * torch.randn(value.shape, generator=rng))
    return learned


def module_around(learned, name="unrolled", n=16):
    settings = config(name)
    torch.manual_seed(0)
    generator = build_generator(settings.generator, GeneratorSize(n, 4))
    return PtychoModule(generator, TrainingConfig(), lambda: 0.0, learned)


def in_double(batch):
    kept = {
        name: getattr(batch, name).to(torch.float64) for name in ("counts", "fractions", "mask")
    }
    return batch._replace(**kept, probe=batch.probe.to(torch.complex128))


@pytest.mark.parametrize("name", PARTS)
def test_gradients_are_those_of_finite_differences(name):
    """At a point where everything is moved, and moves feel the bound."""
    scan = make_scan(16, modes=2)
    module = module_around(anywhere(LearnedScan(scan, EVERYTHING))).double()
    batch = in_double(batch_of(scan))
    canvas = torch.polar(
        torch.full((3, *batch.canvas_shape), 0.9, dtype=torch.float64),
        torch.linspace(0, 5, batch.canvas_shape[1], dtype=torch.float64).expand(
            3, *batch.canvas_shape
        ),
    )

    def loss():
        return module._loss_of_scan(module.learned_scan(batch), canvas)

    part = getattr(module.learned_scan, name)
    loss().backward()
    way = torch.randn(part.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    found = float((part.grad * way).sum())
    start, step, values = part.detach().clone(), 1e-5, []
    for sign in (1, -1):
        with torch.no_grad():
            part.copy_(start + sign * step * way)
        values.append(float(loss().detach()))
    assert abs(found) > 1e-3
    assert found == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5)


def test_it_starts_where_the_scan_is():
    scan = make_scan(16, modes=2)
    batch = batch_of(scan)
    learned = LearnedScan(scan, EVERYTHING)
    there = learned(batch)
    torch.testing.assert_close(there.probe, batch.probe)
    torch.testing.assert_close(there.fractions, batch.fractions, rtol=0, atol=0)
    same = learned.applied_to(scan)
    np.testing.assert_allclose(same.positions_px, scan.positions_px, rtol=0, atol=1e-9)
    power = np.abs(scan.probe.reshape(2, -1) @ scan.probe.reshape(2, -1).conj().T) ** 2
    mixed = np.abs(same.probe.reshape(2, -1) @ scan.probe.reshape(2, -1).conj().T) ** 2
    assert mixed.sum() == pytest.approx(power.sum(), rel=1e-4)


@pytest.mark.parametrize(
    ("settings", "free"),
    [
        ({"refine_probe": True}, ["probe_change"]),
        ({"refine_positions": "affine"}, ["affine_px"]),
        ({"refine_positions": "points"}, ["affine_px", "moves_px"]),
    ],
)
def test_what_is_frozen_is_the_very_thing_that_came_in(settings, free):
    scan = make_scan(16)
    batch = batch_of(scan)
    learned = anywhere(LearnedScan(scan, RefinementConfig(**settings)))
    assert [name for name, _ in learned.named_parameters()] == free
    there, moved = learned(batch), learned.applied_to(scan)
    assert (there.probe is batch.probe) == ("probe_change" not in free)
    assert (moved.probe is scan.probe) == ("probe_change" not in free)
    assert (there.fractions is batch.fractions) == ("affine_px" not in free)
    assert (moved.positions_px is scan.positions_px) == ("affine_px" not in free)
    assert there.corners is batch.corners
    assert there.counts is batch.counts


def test_moves_keep_the_bound_and_their_direction():
    scan = make_scan(16)
    learned = LearnedScan(scan, EVERYTHING)
    rng = torch.Generator().manual_seed(3)
    with torch.no_grad():
        learned.moves_px.copy_(50 * torch.randn(learned.moves_px.shape, generator=rng))
        learned.moves_px[0] = torch.tensor([0.03, -0.04])
    batch = batch_of(scan, groups=scan.n_patterns)
    moved = (learned(batch).fractions - batch.fractions).detach()
    length = moved.norm(dim=-1)
    wanted = learned.moves_px[batch.members]
    assert 1.9 < length.max() < 2.0 + 1e-5
    along = (moved * wanted).sum(dim=-1) / wanted.norm(dim=-1)
    torch.testing.assert_close(along, length, rtol=1e-3, atol=1e-4)
    (small,) = moved[batch.members == 0][:1]
    torch.testing.assert_close(small, torch.tensor([0.03, -0.04]), rtol=1e-2, atol=1e-5)


def test_the_affine_map_is_in_pixels_at_the_edge_and_shifts_nothing():
    scan = make_scan(16)
    learned = LearnedScan(scan, RefinementConfig(refine_positions="affine"))
    with torch.no_grad():
        learned.affine_px.copy_(torch.tensor([[0.5, 0.0], [0.25, 0.0]]))
    moved = learned.applied_to(scan).positions_px - scan.positions_px
    centred = scan.positions_px - scan.positions_px.mean(axis=0)
    edge = np.abs(centred).max()
    np.testing.assert_allclose(moved, centred[:, :1] / edge * [0.5, 0.25], atol=1e-5)


def test_the_scan_that_is_left_keeps_the_gauge():
    """Power, mean position, windows on the canvas; and modes are orthogonal."""
    scan = make_scan(16, modes=3)
    learned = anywhere(LearnedScan(scan, EVERYTHING))
    moved = learned.applied_to(scan)
    assert np.linalg.norm(moved.probe) == pytest.approx(np.linalg.norm(scan.probe), rel=1e-5)
    assert np.linalg.norm(moved.probe - scan.probe) > 0.05 * np.linalg.norm(scan.probe)
    modes = moved.probe.reshape(3, -1)
    gram = np.abs(modes @ modes.conj().T)
    assert (gram - np.diag(np.diag(gram))).max() < 1e-5 * gram.max()
    assert (np.diff(np.diag(gram)) < 0).all()
    shift = (moved.positions_px - scan.positions_px).mean(axis=0)
    np.testing.assert_allclose(shift, 0, atol=1e-9)
    with torch.no_grad():
        learned.affine_px.mul_(0).add_(40 * torch.eye(2))
    far = learned.applied_to(scan)  # a scan refuses windows that leave the canvas
    assert np.abs(far.positions_px - scan.positions_px).max() > 2


def test_the_probe_of_a_batch_is_that_of_the_scan_in_other_modes():
    scan = make_scan(16, modes=2)
    learned = anywhere(LearnedScan(scan, EVERYTHING))
    seen = learned(batch_of(scan)).probe.detach().numpy().reshape(2, -1)
    kept = learned.applied_to(scan).probe.reshape(2, -1)
    np.testing.assert_allclose(
        seen.T @ seen.conj(), kept.T @ kept.conj(), atol=1e-4 * np.abs(seen).max() ** 2
    )


def test_a_batch_that_does_not_say_what_it_holds_is_refused():
    scan = make_scan(16)
    batch = batch_of(scan)._replace(members=None)
    with pytest.raises(TrainingError, match="want batches with their members"):
        LearnedScan(scan, EVERYTHING)(batch)
    LearnedScan(scan, RefinementConfig(refine_probe=True))(batch)


def test_nothing_to_go_on_with_is_refused():
    with pytest.raises(ConfigError, match=r"refine_while_training: .*nothing is refined; add"):
        RefinementConfig(refine_while_training=True)


@pytest.mark.parametrize("name", ["unrolled", "cnn"])
def test_object_and_scan_learn_from_losses_of_their_own(name):
    """The generator's gradients are those that it has beside a frozen scan of the same state."""
    scan = make_scan(32)
    batch = batch_of(scan)
    learned = anywhere(LearnedScan(scan, EVERYTHING), 0.05)
    module = module_around(learned, name, scan.n)
    module.training_step(batch, 0).backward()
    alone = module_around(None, name, scan.n)
    still = learned(batch)
    still = still._replace(probe=still.probe.detach(), fractions=still.fractions.detach())
    alone.training_step(still, 0).backward()
    expected = [value.grad for value in alone.generator.parameters()]
    assert any(gradient.abs().max() > 0 for gradient in expected)
    for value, gradient in zip(module.generator.parameters(), expected, strict=True):
        torch.testing.assert_close(value.grad, gradient, rtol=0, atol=0)
    for value in learned.parameters():
        assert value.grad.abs().max() > 0
    unseen = torch.ones(scan.n_patterns, dtype=torch.bool)
    unseen[batch.members.flatten()] = False
    assert learned.moves_px.grad[unseen].abs().max() == 0


def test_the_validation_loss_sees_the_scan_as_it_is_now(monkeypatch):
    scan = make_scan(16)
    module = module_around(anywhere(LearnedScan(scan, EVERYTHING)))
    seen = []
    monkeypatch.setattr(module, "log", lambda *_, **__: None)
    monkeypatch.setattr(module, "_judge", lambda batch, _: (seen.append(batch), (None, None)))
    batch = batch_of(scan)
    module.validation_step(batch, 0)
    torch.testing.assert_close(seen[0].probe, module.learned_scan(batch).probe.detach())
    assert not seen[0].probe.requires_grad
    assert not torch.equal(seen[0].fractions, batch.fractions)


def test_a_clipped_gradient_of_the_scan_does_not_shorten_that_of_the_weights():
    module = module_around(LearnedScan(make_scan(16), EVERYTHING))
    for value in module.parameters():
        value.grad = torch.zeros_like(value)
    weight = next(module.generator.parameters())
    weight.grad.flatten()[0] = 0.5
    module.learned_scan.moves_px.grad[0, 0] = 100.0
    module.configure_gradient_clipping(None, 1.0, "norm")
    assert float(weight.grad.flatten()[0]) == pytest.approx(0.5)
    assert float(module.learned_scan.moves_px.grad[0, 0]) == pytest.approx(1.0, rel=1e-4)


def test_rates_of_their_own_and_no_decay():
    module = module_around(LearnedScan(make_scan(16), EVERYTHING))
    module.training_config = TrainingConfig(
        optimiser="adamw", weight_decay=0.3, learning_rate=2e-3, schedule="constant"
    )
    groups = module.configure_optimizers()["optimizer"].param_groups
    learned = list(module.learned_scan.parameters())
    ours = [g for g in groups if any(p is value for p in g["params"] for value in learned)]
    assert sum(len(g["params"]) for g in ours) == len(learned) == 3
    assert {g["weight_decay"] for g in ours} == {0.0}
    assert len({g["lr"] for g in ours}) == 2
    assert groups[-1]["weight_decay"] == 0.3
    plain = replace(module.training_config, optimiser="sgd")
    module.training_config = plain
    assert len(module.configure_optimizers()["optimizer"].param_groups) == len(groups)
