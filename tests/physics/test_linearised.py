import pytest
import torch

from ptychopinn.physics.fourier import intensity, to_corner
from ptychopinn.physics.linearised import slope_equations

N = 12


def patterns(modes=2, masked=False):
    draw = torch.Generator().manual_seed(0)
    patches, probes = (
        torch.randn(*shape, dtype=torch.complex128, generator=draw)
        for shape in ((1, 3, N, N), (1, 3, modes, N, N))
    )
    amplitude = 1 + torch.rand(1, 3, N, N, dtype=torch.float64, generator=draw)
    mask = torch.ones(N, N, dtype=torch.float64)
    if masked:
        mask[3:5] = 0
    return patches, probes, amplitude, mask


def rates(slopes, patches, probes):
    """Expected counts of each pattern, the phase tilted by (3, 2) slopes."""
    axis = torch.arange(N) - N // 2
    angle = slopes[:, 0, None, None] * axis[:, None] + slopes[:, 1, None, None] * axis
    waves = (patches * torch.exp(1j * angle))[:, :, None] * probes
    return intensity(torch.fft.fft2(waves, norm="ortho"))[0]


@pytest.mark.parametrize("modes", [1, 3])
@pytest.mark.parametrize("masked", [False, True])
def test_the_gradient_is_that_of_the_likelihood(modes, masked):
    """In bright light: there the floor of the variance is nothing."""
    patches, probes, amplitude, mask = patterns(modes, masked)
    probes, counts = 1e3 * probes, (1e3 * amplitude[0]) ** 2
    slopes = torch.zeros(3, 2, dtype=torch.float64, requires_grad=True)
    expected = rates(slopes, patches, probes)
    score = (mask * (counts * expected.log() - expected)).sum()
    (gradient,) = torch.autograd.grad(score, slopes)
    found = slope_equations(patches, probes, 1e3 * amplitude, mask)
    torch.testing.assert_close(found.gradient[0], gradient, rtol=1e-4, atol=1e-4)
    misfit = ((counts - expected).square() / (expected + 0.1) * mask).sum((-2, -1))
    torch.testing.assert_close(found.misfit[0], misfit)


def test_at_the_truth_few_photons_ask_for_nothing_on_average():
    patches, probes, _, mask = patterns(modes=1)
    patches = torch.ones_like(patches) + 0.2 * patches / patches.abs()
    probes = probes / probes.abs().amax() * 0.3
    zero = torch.zeros(3, 2, dtype=torch.float64)
    expected = rates(zero, patches, probes)
    assert expected.median() < 1
    draw = torch.Generator().manual_seed(1)
    found = []
    for _ in range(4000):
        counts = torch.poisson(expected, generator=draw)[None]
        found.append(slope_equations(patches, probes, counts.sqrt(), mask).gradient[0])
    error = torch.stack(found).mean(dim=0) / (torch.stack(found).std(dim=0) / 4000**0.5)
    assert error.abs().max() < 4


def test_one_step_of_the_parabola_finds_a_small_slope():
    patches, probes, _, mask = patterns()
    wanted = torch.tensor([[1e-3, -2e-3], [0, 3e-3], [2e-3, 1e-3]], dtype=torch.float64)
    axis = torch.arange(N) - N // 2
    angle = wanted[:, 0, None, None] * axis[:, None] + wanted[:, 1, None, None] * axis
    waves = (patches * torch.exp(1j * angle))[:, :, None] * probes
    amplitude = intensity(torch.fft.fft2(waves, norm="ortho")).sqrt()
    found = slope_equations(patches, probes, amplitude, mask)
    slopes = torch.linalg.solve(found.normal, found.gradient[..., None])[0, ..., 0]
    torch.testing.assert_close(slopes, wanted, rtol=0.05, atol=5e-5)


def test_the_detector_may_count_from_its_corner():
    """Where the zero frequency lies must not matter, as long as mask and amplitudes agree."""
    patches, probes, amplitude, mask = patterns(masked=True)
    plain = slope_equations(patches, probes, amplitude, mask)
    turned = slope_equations(
        patches, probes * (-1.0) ** (torch.arange(N)[:, None] + torch.arange(N)),
        to_corner(amplitude), to_corner(mask),
    )  # fmt: skip
    torch.testing.assert_close(plain.normal, turned.normal)
    torch.testing.assert_close(plain.gradient, turned.gradient)
