import pytest
import torch

from ptychopinn.physics.fourier import fourier, inverse_fourier, squared_modulus, to_corner
from ptychopinn.physics.likelihood import amplitude_mse
from ptychopinn.physics.projection import (
    PROJECTION,
    ModulusStep,
    modulus_residual,
    object_update,
)


def random_waves(n: int, modes: int) -> torch.Tensor:
    return torch.randn(2, 3, modes, n, n, dtype=torch.complex128)


@pytest.mark.parametrize("n", [8, 9])
@pytest.mark.parametrize("modes", [1, 3])
def test_the_new_waves_have_the_measured_modulus_and_the_old_phase(n, modes):
    waves = random_waves(n, modes)
    counts = torch.rand(2, 3, n, n, dtype=torch.float64) * 50 + 1
    answer = waves + modulus_residual(waves, to_corner(counts.sqrt()), None)
    spectrum, before = fourier(answer), fourier(waves)
    torch.testing.assert_close(squared_modulus(spectrum).sum(2), counts, rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(
        torch.angle(spectrum * before.conj()), torch.zeros_like(before.real), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("n", [8, 9])
def test_bad_pixels_keep_what_the_model_says(n):
    waves = random_waves(n, 2)
    counts = torch.full((2, 3, n, n), 9.0, dtype=torch.float64)
    mask = torch.ones(n, n, dtype=torch.float64)
    mask[1, 2] = mask[n // 2, n // 2] = 0
    counts[..., 1, 2] = 1e9
    answer = waves + modulus_residual(waves, to_corner(counts.sqrt()), to_corner(mask))
    after, before = fourier(answer), fourier(waves)
    for y, x in ((1, 2), (n // 2, n // 2)):
        torch.testing.assert_close(after[..., y, x], before[..., y, x])
    assert (squared_modulus(after).sum(2)[..., 3, 3] - 9).abs().max() < 1e-4


@pytest.mark.parametrize("n", [8, 9])
@pytest.mark.parametrize("modes", [1, 3])
def test_the_update_is_the_gradient_of_the_amplitude_loss(n, modes):
    probe = torch.randn(2, 3, modes, n, n, dtype=torch.complex128)
    patches = torch.randn(2, 3, n, n, dtype=torch.complex128).requires_grad_()
    counts = torch.rand(2, 3, n, n, dtype=torch.float64) * 5 + 0.5
    predicted = squared_modulus(fourier(patches[:, :, None] * probe)).sum(2)
    loss = amplitude_mse(predicted, counts, torch.ones(n, n)) * counts.numel()
    (gradient,) = torch.autograd.grad(loss, patches)
    update = object_update(patches.detach(), probe, to_corner(counts.sqrt()), None)
    torch.testing.assert_close(update, -gradient / 2, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("n", [4, 5])
@pytest.mark.parametrize("modes", [1, 3])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("trust", [0.0, 5.0])
def test_the_gradient_of_the_update_is_that_of_finite_differences(n, modes, shared, masked, trust):
    patches = torch.randn(2, 3, n, n, dtype=torch.complex128).requires_grad_()
    probes = torch.randn(1 if shared else 2, 3, modes, n, n, dtype=torch.complex128)
    amplitude = torch.rand(2, 3, n, n, dtype=torch.float64) * 3
    mask = (torch.rand(n, n, dtype=torch.float64) > 0.2).double() if masked else None
    step = ModulusStep.proximal(trust)

    def update(patches, probes):
        return object_update(patches, probes, amplitude, mask, step)

    assert torch.autograd.gradcheck(update, (patches, probes.requires_grad_()), fast_mode=True)
    torch.testing.assert_close(update(patches, probes), update(patches.detach(), probes.detach()))


def test_plain_definition():
    """The same, written as the equation with centred transforms."""
    n = 8
    waves = random_waves(n, 2)
    counts = torch.rand(2, 3, n, n, dtype=torch.float64) * 5
    far = fourier(waves)
    model = squared_modulus(far).sum(2, keepdim=True)
    expected = inverse_fourier(far * (counts[:, :, None] / (model + 1e-6)).sqrt()) - waves
    torch.testing.assert_close(modulus_residual(waves, to_corner(counts.sqrt()), None), expected)


@pytest.mark.parametrize("counts", [0.0, 6.5e4])
def test_a_dark_pattern_and_a_saturated_pixel_stay_finite(counts):
    n = 8
    waves = torch.zeros(1, 1, 1, n, n, dtype=torch.complex64)
    amplitude = torch.zeros(1, 1, n, n)
    amplitude[..., 2, 2] = counts**0.5
    assert torch.isfinite(torch.view_as_real(modulus_residual(waves, amplitude, None))).all()


@pytest.mark.parametrize("trust", [0.0, 0.3, 5.0, 200.0])
@pytest.mark.parametrize("counts", [0.0, 1.0, 7.0])
def test_a_step_minimises_likelihood_and_distance(trust, counts):
    """Found by search on a'^2 - I log a'^2 + trust (a' - a)^2, lengthened."""
    step = ModulusStep.proximal(trust)
    modelled = 1.7
    ratio = torch.tensor(counts / (modelled**2 + step.floor), dtype=torch.float64)
    change = step.scale * (ratio + step.offset).sqrt() - step.bound
    nearest = torch.linspace(1e-9, 6, 600_001, dtype=torch.float64)
    cost = nearest**2 - counts * (nearest**2).log() + trust * (nearest - modelled) ** 2
    expected = (float(nearest[cost.argmin()]) / modelled - 1) * (2 + trust) / 2
    assert float(change) == pytest.approx(expected, abs=1e-3 * (2 + trust))


@pytest.mark.parametrize("trust", [0.0, 1.0, 30.0])
def test_every_step_moves_alike_near_the_measurement(trust):
    step = ModulusStep.proximal(trust)

    def change(ratio):
        return step.scale * (ratio + step.offset) ** 0.5 - step.bound

    assert change(1.0) == pytest.approx(0, abs=1e-12)
    assert (change(1 + 1e-6) - change(1 - 1e-6)) / 2e-6 == pytest.approx(0.5, abs=1e-5)


def test_much_trust_follows_the_poisson_likelihood():
    """The update goes along minus the gradient of lambda - I log lambda."""
    n = 8
    probe = torch.randn(1, 3, 2, n, n, dtype=torch.complex128)
    patches = torch.randn(1, 3, n, n, dtype=torch.complex128).requires_grad_()
    counts = torch.poisson(torch.rand(1, 3, n, n, dtype=torch.float64) * 20)
    predicted = squared_modulus(fourier(patches[:, :, None] * probe)).sum(2)
    step = ModulusStep.proximal(1e6)
    likelihood = predicted - counts * (predicted + step.floor).log()
    (gradient,) = torch.autograd.grad(likelihood.sum(), patches)
    update = object_update(patches.detach(), probe, to_corner(counts.sqrt()), None, step)
    torch.testing.assert_close(update, -gradient / 4, rtol=2e-2, atol=2e-2)


def test_photons_decide_where_they_are_few():
    assert ModulusStep.for_photons(50.0, None) == PROJECTION
    few, many = (ModulusStep.for_photons(counts, 0.15) for counts in (0.1, 1e5))
    assert few.offset > 10
    assert many.offset < 1e-6
