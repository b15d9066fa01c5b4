import pytest
import torch

from ptychopinn.bundle import load_bundle, save_bundle
from ptychopinn.config import PretrainingConfig, UnrolledConfig
from ptychopinn.errors import TrainingError
from ptychopinn.generators.correction import Light
from ptychopinn.generators.unrolled import Unrolled
from ptychopinn.inference import reconstruct
from ptychopinn.physics.likelihood import poisson_excess
from ptychopinn.physics.supervision import square_error
from ptychopinn.physics.view import BatchView
from ptychopinn.training import pretrain
from ptychopinn.training.pretraining import EpochRange, RandomScans, stage_errors
from tests.conftest import make_scan

NETWORK = UnrolledConfig(stages=2, subsets=2, networks=2, width=8, depth=2)


def settings(**changes):
    small = {
        "steps": 4,
        "epoch_steps": 2,
        "pixels": 2**12,
        "largest_n": 64,
        "validation_scans": 1,
        "warmup_steps": 1,
        "threads": 1,
    }
    return PretrainingConfig(**{**small, **changes})


def weights(bundle):
    return torch.cat([p.detach().flatten() for p in bundle.generator.parameters()])


def test_the_error_does_not_see_the_global_phase_and_is_a_share_of_the_power():
    torch.manual_seed(0)
    truth = torch.randn(2, 8, 8, dtype=torch.complex64)
    weight = torch.rand(2, 8, 8)
    turned = truth * torch.polar(torch.ones(()), torch.tensor(2.0))
    assert square_error(turned, truth, weight).max() < 1e-10
    torch.testing.assert_close(square_error(1.1 * turned, truth, weight), torch.full((2,), 0.01))
    torch.testing.assert_close(square_error(0 * truth, truth, weight), torch.ones(2))


def test_truth_is_in_the_gauge_of_the_counts():
    """The truth must explain the data to the photon noise, whatever it absorbs."""
    right = settings(wrong_probe_share=0.0, wrong_positions_share=0.0)
    scans = RandomScans(right, 0, 3)
    for number in range(3):
        batch = scans[number]
        light = float((batch.probe.abs() ** 2).sum())
        assert light == pytest.approx(float(batch.counts.sum((-2, -1)).mean()), rel=1e-3)
        predicted = BatchView(batch).predict(batch.truth)
        noise = poisson_excess(predicted, batch.counts, batch.mask)
        assert noise < 0.6
        assert poisson_excess(1.1 * predicted, batch.counts, batch.mask) > noise


def test_no_scan_comes_twice():
    sampler = EpochRange(3)
    seen = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        seen += list(sampler)
    assert seen == list(range(9))


def test_training_lowers_the_error_on_scans_it_never_saw(tmp_path):
    bundle = pretrain(settings(steps=48, epoch_steps=12, averaging=0.5), NETWORK, tmp_path)
    untrained = Unrolled(NETWORK)
    scans = RandomScans(settings(), 10**9, 6)
    with torch.no_grad():
        before, after = (
            sum(float(stage_errors(network, scans[n])[-1].log()) for n in range(6)) / 6
            for network in (untrained, bundle.generator)
        )
    assert after < before - 0.02


def test_a_run_that_was_killed_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    whole = pretrain(settings(), NETWORK, tmp_path / "whole")

    class KilledError(Exception):
        pass

    def kill(dataset, index):
        if index == 6:
            raise KilledError
        return original(dataset, index)

    original = RandomScans.__getitem__
    with monkeypatch.context() as patched:
        patched.setattr(RandomScans, "__getitem__", kill)
        with pytest.raises(KilledError):
            pretrain(settings(), NETWORK, tmp_path / "cut")
    resumed = pretrain(settings(), NETWORK, tmp_path / "cut", resume=True)
    assert resumed.statistics["steps"] == 4
    assert torch.equal(weights(whole), weights(resumed))


def test_nothing_to_resume_is_said(tmp_path):
    with pytest.raises(TrainingError, match="no checkpoint to resume"):
        pretrain(settings(), NETWORK, tmp_path, resume=True)


def test_without_networks_the_pace_alone_is_trained_and_that_is_said(tmp_path, caplog):
    alone = UnrolledConfig(stages=2, subsets=2)
    bundle = pretrain(settings(), alone, tmp_path)
    assert "only the pace of the physics steps is trained" in caplog.text
    start = Unrolled(alone).state_dict()
    found = bundle.generator.state_dict()
    assert found.keys() == {"momentum", "log_step", "log_damping"}
    assert any(not torch.equal(found[name], start[name]) for name in found)


def test_the_bundle_serves_any_size(tmp_path):
    bundle = pretrain(settings(steps=1, epoch_steps=1), NETWORK, tmp_path)
    loaded = load_bundle(save_bundle(tmp_path / "wts.h5.zip", bundle))
    for n in (24, 33):
        result = reconstruct(make_scan(n, side=4), loaded)
        assert abs(result.object).max() > 0.5


def test_relaxation_keeps_a_share_of_the_corrections(tmp_path):
    whole, part = (
        pretrain(settings(relaxation=share), NETWORK, tmp_path / str(share)).generator
        for share in (1.0, 0.5)
    )
    torch.testing.assert_close(part.network_share, 0.5 * whole.network_share)
    canvas, before = torch.randn(2, 1, 24, 24, dtype=torch.complex64)
    light = Light.of(torch.rand(1, 24, 24), 1.0)
    smaller, larger = (g.corrected(canvas, before, light, 0) - canvas for g in (part, whole))
    assert larger.abs().max() > 0
    torch.testing.assert_close(smaller, 0.5 * larger)
