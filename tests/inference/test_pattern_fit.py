import dataclasses

import numpy as np
import pytest
import torch

from ptychopinn.config import Config, GeneratorConfig, InferenceConfig, PieConfig
from ptychopinn.inference import fit_of, reconstruct
from ptychopinn.inference.pattern_fit import judge, pattern_fit, predict_patterns
from ptychopinn.physics.likelihood import poisson_excess
from ptychopinn.processes import ALONE
from tests.conftest import make_scan
from tests.threads_as_processes import together

CPU = torch.device("cpu")


def pie(**inference):
    generator = GeneratorConfig(name="pie", pie=PieConfig(stages=20))
    return Config(generator=generator, inference=InferenceConfig(**inference))


def masked_scan(**more):
    mask = np.ones((32, 32), dtype=bool)
    mask[3, 4:9] = False
    return make_scan(32, modes=2, mask=mask, **more)


def test_deviances_are_those_of_the_likelihood():
    """Pattern by pattern, through another road: the scalar loss of one pattern at a time."""
    scan = masked_scan()
    numbers = np.array([3, 11, 40])
    found = judge(scan, scan.truth, numbers, CPU)
    predicted = predict_patterns(scan, scan.truth, numbers, CPU)
    mask = torch.from_numpy(scan.mask.astype(np.float32))
    for place, number in enumerate(numbers):
        counts = torch.from_numpy(scan.counts(np.array([number])))
        excess = float(poisson_excess(torch.from_numpy(predicted[place : place + 1]), counts, mask))
        assert found.deviance[place] == pytest.approx(2 * excess, rel=1e-5)
    np.testing.assert_allclose(
        found.detector_deviance.sum() / scan.mask.sum(), found.deviance.sum(), rtol=1e-5
    )
    assert not found.detector_deviance[~scan.mask].any()


def test_the_truth_leaves_photon_noise_and_a_spoilt_pattern_stands_out():
    scan = masked_scan(photons=1e6)
    spoilt = scan.patterns.copy()
    spoilt[17] = np.roll(spoilt[17], 3, axis=0)
    scan = dataclasses.replace(scan, patterns=spoilt)
    made = reconstruct(make_scan(32, modes=2), None, pie(checks=False))
    made = dataclasses.replace(made, object=scan.truth, probe=scan.probe)
    fit = fit_of(scan, made)
    others = np.delete(fit.ratio, 17)
    assert np.abs(others - 1).max() < 0.2
    assert fit.ratio[17] > 5
    assert fit.shown[-1] == 17
    assert not fit.held_out
    shown = [fit.ratio[list(fit.numbers).index(number)] for number in fit.shown]
    assert shown == sorted(shown)
    np.testing.assert_array_equal(fit.measured, scan.counts(fit.shown))
    assert fit.bad_pixels.counts == {"marked": 5}


def test_checks_judge_every_pattern_by_the_half_that_did_not_see_it():
    scan = make_scan(32, photons=1e5)
    made = reconstruct(scan, None, pie())
    fit = made.pattern_fit
    assert fit.held_out
    np.testing.assert_array_equal(fit.numbers, np.arange(scan.n_patterns))
    assert fit.deviance.mean() == pytest.approx(made.quality["held_out_excess_deviance"], rel=1e-2)
    seen = fit_of(scan, made)
    assert fit.ratio.mean() > 1.05 * seen.ratio.mean()
    frequency, correlation, samples = made.half_data_frc
    assert frequency[0] > 0
    assert correlation[:3].mean() > 0.7
    assert (samples > 0).all()


def test_a_large_scan_is_sampled(monkeypatch):
    scan = make_scan(32)
    monkeypatch.setattr("ptychopinn.inference.pattern_fit.MOST_JUDGED", 20)
    fit = fit_of(scan, reconstruct(scan, None, pie(checks=False)))
    assert 10 <= len(fit.numbers) <= 20
    assert np.ptp(fit.numbers) > 0.8 * scan.n_patterns


@pytest.mark.parametrize("count", [2, 3])
def test_processes_that_share_the_patterns_say_what_one_says(count):
    scan = masked_scan()
    halves = [np.arange(0, scan.n_patterns, 2), np.arange(1, scan.n_patterns, 2)]
    canvases = [scan.truth, np.ones_like(scan.truth)]

    def work(processes):
        found = [judge(scan, c, h, CPU, processes) for c, h in zip(canvases, halves, strict=True)]
        gathered = pattern_fit(scan, canvases, found, CPU, held_out=True, processes=processes)
        return gathered, [shape for shape in getattr(processes, "sums", []) if shape != (count,)]

    alone, _ = work(ALONE)
    for made, sums in together(work, count):
        assert len(sums) == 3
        for item in dataclasses.fields(made):
            if item.name not in ("bad_pixels", "held_out"):
                got, wanted = getattr(made, item.name), getattr(alone, item.name)
                assert got.dtype == wanted.dtype
                np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-7)


def test_every_process_reads_its_share_only():
    class Watched(np.ndarray):
        def __getitem__(self, key):
            read.append(np.atleast_1d(key))
            return np.asarray(super().__getitem__(key))

    def work(processes):
        judge(watched, scan.truth, np.arange(scan.n_patterns), CPU, processes)

    read = []
    scan = make_scan(16)
    watched = dataclasses.replace(scan, patterns=scan.patterns.view(Watched))
    together(work, 2)
    np.testing.assert_array_equal(np.sort(np.concatenate(read)), np.arange(scan.n_patterns))


def test_more_processes_than_patterns():
    scan = make_scan(16)
    numbers = np.array([4])
    alone = judge(scan, scan.truth, numbers, CPU)
    for found in together(lambda processes: judge(scan, scan.truth, numbers, CPU, processes), 3):
        np.testing.assert_allclose(found.deviance, alone.deviance, rtol=1e-6)
