import numpy as np
import pytest
import torch
from scipy.stats import poisson

from ptychopinn.errors import ConfigError
from ptychopinn.physics.likelihood import (
    LOSSES,
    expected_deviance,
    poisson_excess,
    resolve_loss,
)


def test_poisson_excess_is_the_log_likelihood_ratio():
    """Against SciPy: -log p(I | lambda) + log p(I | I), zero counts included."""
    rng = np.random.default_rng(0)
    rate = rng.uniform(0.01, 40, (3, 5, 5))
    counts = rng.poisson(rate)
    counts[0, 0, 0] = 0
    expected = poisson.logpmf(counts, np.maximum(counts, 1e-300)) - poisson.logpmf(counts, rate)
    expected = np.where(counts == 0, rate, expected).mean()
    found = poisson_excess(
        torch.from_numpy(rate), torch.from_numpy(counts.astype(float)), torch.ones(5, 5)
    )
    assert found.item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("photons", [1e2, 1e4, 1e6])
def test_a_perfect_model_of_noisy_counts_leaves_one_half(photons):
    rng = np.random.default_rng(1)
    rate = np.full((200, 16, 16), photons)
    counts = torch.from_numpy(rng.poisson(rate).astype(np.float64))
    found = poisson_excess(torch.from_numpy(rate), counts, torch.ones(16, 16)).item()
    assert found == pytest.approx(0.5, rel=0.03)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_perfect_is_zero_and_masked_pixels_do_not_count(name):
    loss = resolve_loss(name)
    counts = torch.rand(2, 4, 4, dtype=torch.float64) * 9 + 1
    mask = torch.ones(4, 4, dtype=torch.float64)
    assert loss(counts, counts, mask).item() == pytest.approx(0, abs=1e-12)
    wrong = counts.clone()
    wrong[:, 1, 2] = float("nan")
    mask[1, 2] = 0
    assert loss(counts, wrong, mask).item() == pytest.approx(0, abs=1e-12)
    off = counts.clone()
    off[:, 0, 0] *= 3
    assert loss(off, counts, mask).item() > 1e-3


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_the_mask_is_a_mean_over_good_pixels(name):
    """Half the pixels masked: the mean over the other half is unchanged."""
    loss = resolve_loss(name)
    counts, predicted = torch.full((3, 4, 4), 5.0), torch.full((3, 4, 4), 8.0)
    half = torch.ones(4, 4)
    half[:, :2] = 0
    whole = loss(predicted, counts, torch.ones(4, 4)).item()
    assert loss(predicted, counts, half).item() == pytest.approx(whole)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_gradients_are_finite_in_the_dark(name):
    predicted = torch.zeros(1, 4, 4, requires_grad=True)
    counts = torch.tensor([0.0, 3.0]).repeat(8).reshape(1, 4, 4)
    resolve_loss(name)(predicted, counts, torch.ones(4, 4)).backward()
    assert torch.isfinite(predicted.grad).all()


def test_unknown_loss_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'poisson'"):
        resolve_loss("poison")


@pytest.mark.parametrize("rate", [1e-5, 1e-3, 0.03, 0.5, 1.3, 7.0, 60.0, 900.0, 1e5])
def test_expected_deviance_is_what_noise_leaves(rate):
    counts = torch.poisson(torch.full((200_000, 1, 1), rate))
    found = 2 * poisson_excess(torch.full_like(counts, rate), counts, torch.ones(1, 1))
    expected = expected_deviance(torch.tensor([rate]))
    assert expected.item() == pytest.approx(found.item(), rel=0.05 if rate > 1e-4 else 0.3)
