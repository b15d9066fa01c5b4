import pytest
import torch

from ptychopinn.errors import ShapeError
from ptychopinn.physics.probe import exit_waves, probes_at, shift_waves


def gaussian(n: int, centre: tuple[float, float], width: float) -> torch.Tensor:
    y = torch.arange(n, dtype=torch.float64)[:, None] - centre[0]
    x = torch.arange(n, dtype=torch.float64)[None, :] - centre[1]
    return torch.exp(-(y**2 + 2 * x**2) / (2 * width**2)) * torch.exp(0.2j * (y + 0.3 * x))


@pytest.mark.parametrize("n", [48, 49])
def test_shift_moves_a_gaussian_to_where_it_was_asked(n):
    """Analytic: a Gaussian wave made at the shifted centre; +f moves to higher row and column."""
    fraction = torch.tensor([0.37, 0.81], dtype=torch.float64)
    wave = gaussian(n, (24.0, 23.0), 3.0)
    moved = gaussian(n, (24.37, 23.81), 3.0)
    torch.testing.assert_close(shift_waves(wave, fraction), moved, atol=1e-6, rtol=0)


def test_whole_pixel_shift_is_a_roll():
    wave = torch.randn(9, 9, dtype=torch.complex128)
    shifted = shift_waves(wave, torch.tensor([1.0, -2.0], dtype=torch.float64))
    torch.testing.assert_close(shifted, torch.roll(wave, (1, -2), (0, 1)))


def test_energy_of_a_shifted_band_limited_wave():
    wave = gaussian(48, (24.0, 23.0), 3.0)
    moved = shift_waves(wave, torch.tensor([0.5, 0.5], dtype=torch.float64))
    assert moved.abs().square().sum() == pytest.approx(wave.abs().square().sum().item(), rel=1e-9)


def test_every_pattern_gets_its_own_probe():
    probe = torch.randn(3, 8, 8, dtype=torch.complex64)
    fractions = torch.rand(2, 5, 2)
    probes = probes_at(probe, fractions)
    assert probes.shape == (2, 5, 3, 8, 8)
    torch.testing.assert_close(probes[1, 2, 0], shift_waves(probe[0], fractions[1, 2]))


@pytest.mark.parametrize(
    "probe",
    [torch.ones(8, 8, dtype=torch.complex64), torch.ones(1, 8, 8)],
    ids=["no mode axis", "real"],
)
def test_implicit_broadcasting_of_the_probe_is_refused(probe):
    with pytest.raises(ShapeError, match="probe: expected"):
        probes_at(probe, torch.zeros(4, 2))


def test_exit_waves_refuse_a_probe_over_the_batch():
    """A probe (B, N, N) would multiply the amplitude by the batch size without an error."""
    patches = torch.ones(4, 1, 8, 8, dtype=torch.complex64)
    with pytest.raises(ShapeError, match="probes: expected"):
        exit_waves(patches, torch.ones(4, 8, 8, dtype=torch.complex64))
    with pytest.raises(ShapeError, match="probes: expected"):
        exit_waves(patches, torch.ones(1, 1, 1, 9, 9, dtype=torch.complex64))
