import pytest
import torch

from ptychopinn.errors import ShapeError
from ptychopinn.physics.canvas import extract_patches
from ptychopinn.physics.fourier import fourier, squared_modulus, to_corner
from ptychopinn.physics.probe import probe_slopes_at, probes_at, shift_waves
from ptychopinn.physics.projection import modulus_residual
from ptychopinn.physics.refinement import (
    centre_of_mass,
    orthogonal_modes,
    position_equations,
    probe_update,
    recentred,
    stretch_equations,
    with_more_modes,
)

SHAPE = (19, 26)


class Experiment:
    """Random complex object, probe, positions and counts in double precision."""

    def __init__(self, n: int, modes: int) -> None:
        self.n = n
        self.canvas = torch.randn(2, *SHAPE, dtype=torch.complex128)
        self.probe = torch.randn(modes, n, n, dtype=torch.complex128)
        self.corners = torch.stack([torch.randint(0, s - n + 1, (2, 3)) for s in SHAPE], -1)
        self.fractions = torch.rand(2, 3, 2, dtype=torch.float64)
        self.counts = torch.rand(2, 3, n, n, dtype=torch.float64) * 5 + 0.5
        self.mask = (torch.rand(n, n) > 0.2).double()
        self.patches = extract_patches(self.canvas, self.corners, n)

    def misfits(self, probe, fractions):
        """(B, C) sums of (sqrt(I) - sqrt(lambda))^2 over good pixels, by centred transforms."""
        waves = self.patches[:, :, None] * probes_at(probe, fractions)
        model = squared_modulus(fourier(waves)).sum(dim=2)
        return ((self.counts.sqrt() - (model + 1e-6).sqrt()).square() * self.mask).sum((-2, -1))

    def rates(self, probe, fractions):
        """(B, C, N, N) expected counts, zero frequency in the middle."""
        waves = self.patches[:, :, None] * probes_at(probe, fractions)
        return squared_modulus(fourier(waves)).sum(dim=2)

    def weighted_misfits(self, rates):
        """(B, C) sums of (I - lambda)^2 over what the variance may be, which is held fixed."""
        held = self.rates(self.probe, self.fractions)
        weight = self.mask / (held * (held + 0.1)).sqrt()
        return (weight * (self.counts - rates).square()).sum((-2, -1))

    def deviances(self, rates):
        """(B, C) Poisson deviances, but for what depends on the counts alone."""
        return (2 * self.mask * (rates - self.counts * rates.log())).sum((-2, -1))

    def equations(self):
        return position_equations(
            self.patches,
            probes_at(self.probe, self.fractions),
            probe_slopes_at(self.probe, self.fractions),
            to_corner(self.counts.sqrt()),
            to_corner(self.mask),
        )


@pytest.mark.parametrize("n", [8, 9])
@pytest.mark.parametrize("modes", [1, 3])
def test_the_probe_update_is_minus_half_the_gradient(n, modes):
    made = Experiment(n, modes)
    probe = made.probe.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(made.misfits(probe, made.fractions).sum(), probe)
    waves = made.patches[:, :, None] * probes_at(made.probe, made.fractions)
    change = modulus_residual(waves, to_corner(made.counts.sqrt()), to_corner(made.mask))
    update = probe_update(made.patches, change, made.fractions)
    torch.testing.assert_close(update, -gradient / 2, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n", [8, 9])
@pytest.mark.parametrize("modes", [1, 3])
def test_the_probe_update_is_the_adjoint_of_lighting_the_patches(n, modes):
    made = Experiment(n, modes)
    waves = torch.randn(2, 3, modes, n, n, dtype=torch.complex128)
    lit = made.patches[:, :, None] * probes_at(made.probe, made.fractions)
    there = torch.sum(lit.conj() * waves)
    back = torch.sum(made.probe.conj() * probe_update(made.patches, waves, made.fractions))
    torch.testing.assert_close(there, back)


@pytest.mark.parametrize("n", [8, 9])
def test_shifting_back_is_the_adjoint_of_shifting(n):
    a, b = torch.randn(2, 3, n, n, dtype=torch.complex128)
    move = torch.rand(3, 2, dtype=torch.float64)
    there = torch.sum(shift_waves(a, move).conj() * b)
    torch.testing.assert_close(there, torch.sum(a.conj() * shift_waves(b, -move)))


@pytest.mark.parametrize("n", [8, 9])
@pytest.mark.parametrize("modes", [1, 3])
def test_the_position_gradient_by_autograd_and_by_differences(n, modes):
    made = Experiment(n, modes)
    where = made.fractions.clone().requires_grad_()
    misfits = made.weighted_misfits(made.rates(made.probe, where))
    (gradient,) = torch.autograd.grad(misfits.sum(), where)
    found = made.equations().gradient
    torch.testing.assert_close(found, -gradient / 2, rtol=1e-6, atol=1e-8)
    for axis in range(2):
        step = torch.zeros(2, dtype=torch.float64)
        step[axis] = 1e-5
        above, below = (
            made.weighted_misfits(made.rates(made.probe, made.fractions + sign * step))
            for sign in (1, -1)
        )
        torch.testing.assert_close(found[..., axis], (below - above) / 4e-5, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("modes", [1, 3])
def test_the_normal_matrix_is_the_curvature_where_the_model_is_right(modes):
    made = Experiment(8, modes)
    made.counts = made.rates(made.probe, made.fractions)
    where = made.fractions.clone().requires_grad_()

    def first(f):
        return made.deviances(made.rates(made.probe, f))[0, 0]

    hessian = torch.autograd.functional.hessian(first, where)[0, 0, :, 0, 0, :]
    torch.testing.assert_close(made.equations().normal[0, 0], hessian / 2, rtol=1e-4, atol=1e-4)


def stretched_patches(made, stretch):
    """Patches whose object is a polynomial, exactly stretched about the centre of the light."""
    centre = centre_of_mass(made.probe)
    axis = torch.arange(made.n, dtype=torch.float64)
    rho = torch.stack(torch.meshgrid(axis - centre[0], axis - centre[1], indexing="ij"), dim=-1)
    y, x = ((rho + rho @ stretch.T) / made.n).unbind(-1)
    return (1 + 0.3j * y - 0.5 * x + (0.4 - 0.2j) * y * x + 0.3j * x**2).expand(2, 3, -1, -1)


@pytest.mark.parametrize("modes", [1, 2])
def test_the_stretch_gradient_by_differences(modes):
    made = Experiment(9, modes)
    flat = torch.zeros(2, 2, dtype=torch.float64)
    made.patches = stretched_patches(made, flat)
    inner = torch.gradient(made.patches, dim=(-2, -1), edge_order=2)
    found = stretch_equations(
        made.patches,
        torch.stack(inner, dim=2),
        made.probe,
        made.fractions,
        to_corner(made.counts.sqrt()),
        to_corner(made.mask),
    )
    held = made.equations()
    torch.testing.assert_close(found.gradient[..., 4:], held.gradient)
    torch.testing.assert_close(found.normal[..., 4:, 4:], held.normal)
    torch.testing.assert_close(found.misfit, held.misfit)
    centre = made.rates(made.probe, made.fractions)
    scale = made.mask * (made.counts - centre) / (centre * (centre + 0.1)).sqrt()
    for number in range(4):
        step = flat.clone()
        step[divmod(number, 2)] = 1e-5
        rates = []
        for sign in (1, -1):
            made.patches = stretched_patches(made, sign * step)
            rates.append(made.rates(made.probe, made.fractions))
        slope = (scale * (rates[0] - rates[1])).sum((-2, -1)) / 2e-5
        torch.testing.assert_close(found.gradient[..., number], slope, rtol=1e-5, atol=1e-5)


def test_over_an_even_object_a_position_says_nothing():
    made = Experiment(9, 1)
    made.patches = torch.ones_like(made.patches)
    found = made.equations()
    assert found.normal.abs().max() < 1e-12
    assert found.gradient.abs().max() < 1e-12


def test_slopes_are_the_derivative_of_the_shifted_probe():
    for n in (8, 9):
        probe = torch.randn(2, n, n, dtype=torch.complex128)
        where = torch.tensor([0.3, 0.8], dtype=torch.float64)
        slopes = probe_slopes_at(probe, where)
        for axis in range(2):
            step = torch.zeros(2, dtype=torch.float64)
            step[axis] = 1e-6
            rise = (probes_at(probe, where + step) - probes_at(probe, where - step)) / 2e-6
            torch.testing.assert_close(slopes[axis], rise, rtol=1e-6, atol=1e-6)


def density(probe):
    columns = probe.flatten(1)
    return torch.einsum("pi,pj->ij", columns, columns.conj())


@pytest.mark.parametrize("n", [6, 7])
@pytest.mark.parametrize("modes", [1, 2, 4])
def test_orthogonal_modes_keep_the_density_matrix(n, modes):
    probe = torch.randn(modes, n, n, dtype=torch.complex128)
    probe[-1] += (0.7 + 0.9j) * probe[0]
    found = orthogonal_modes(probe)
    torch.testing.assert_close(density(found), density(probe))
    gram = found.flatten(1) @ found.flatten(1).mH
    torch.testing.assert_close(gram, torch.diag(gram.diagonal()))
    powers = gram.diagonal().real
    assert (powers.diff() <= 1e-9).all()


def test_modes_that_are_orthogonal_already_stay_as_they_are():
    strong = torch.zeros(2, 4, 4, dtype=torch.complex128)
    strong[0, 0], strong[1, 1] = 2j, 1 + 1j
    torch.testing.assert_close(orthogonal_modes(strong), strong)
    one = torch.randn(1, 4, 4, dtype=torch.complex128)
    assert orthogonal_modes(one) is one


@pytest.mark.parametrize(("held", "count"), [(1, 3), (2, 6), (3, 3)])
def test_new_modes_are_weak_and_orthogonal_and_the_power_stays(held, count):
    axis = torch.arange(17) - 9.0
    spot = torch.exp(-(axis[:, None] ** 2 + 1.3 * axis**2) / 20 + 0.1j * axis)
    probe = torch.stack([spot * (1 + 0.2 * m * axis) for m in range(held)])
    found = with_more_modes(probe, count, 0.02)
    assert found.shape == (count, 17, 17)
    torch.testing.assert_close(squared_modulus(found).sum(), squared_modulus(probe).sum())
    new = found[held:].flatten(1)
    share = squared_modulus(new).sum(1) / squared_modulus(probe).sum()
    torch.testing.assert_close(share, torch.full_like(share, 0.02))
    overlap = (found.flatten(1).conj() @ new.T).abs()
    limit = 1e-4 * float(squared_modulus(probe).sum())
    assert all(
        overlap[i, j] < limit for i in range(count) for j in range(count - held) if i != j + held
    )


@pytest.mark.parametrize("n", [16, 17])
def test_recentring_undoes_shift_and_ramp(n):
    axis = torch.arange(n, dtype=torch.float64) - n // 2
    spot = torch.exp(-(axis[:, None] ** 2 + 1.2 * axis**2) / 6 + 0.1j * axis)
    probe = torch.stack([spot, 0.3 * spot * (axis + 0.5)])
    ramp = torch.exp(2j * torch.pi / n * (0.4 * axis[:, None] - 0.7 * axis))
    moved = shift_waves(probe * ramp, torch.tensor([0.6, -0.3], dtype=torch.float64))
    found = recentred(moved, probe)
    phase = (found.conj() * probe).sum()
    found = found * phase / phase.abs()
    torch.testing.assert_close(found, probe, atol=2e-3, rtol=0)
    assert (moved - probe).abs().max() > 0.1


def test_a_probe_without_modes_is_refused():
    with pytest.raises(ShapeError, match="probe"):
        orthogonal_modes(torch.randn(8, 8, dtype=torch.complex64))
