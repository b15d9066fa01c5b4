"""Every linear operator with its adjoint: one suite, awkward inputs."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch

from ptychopinn.physics.canvas import extract_patches, place_patches
from ptychopinn.physics.fourier import fourier, inverse_fourier
from ptychopinn.physics.probe import back_project, exit_waves, shift_waves

CANVAS = (23, 31)
GROUPS, PATTERNS = 2, 3


@dataclass(frozen=True)
class Case:
    n: int
    modes: int
    probe: torch.Tensor
    corners: torch.Tensor
    fractions: torch.Tensor


def make_case(n: int, modes: int) -> Case:
    rng = torch.Generator().manual_seed(10 * n + modes)
    room = torch.tensor([CANVAS[0] - n, CANVAS[1] - n])
    places = torch.rand(GROUPS, PATTERNS, 2, generator=rng) * (room + 1)
    return Case(
        n,
        modes,
        torch.randn(GROUPS, PATTERNS, modes, n, n, generator=rng, dtype=torch.complex128),
        places.long(),
        torch.rand(GROUPS, PATTERNS, 2, generator=rng, dtype=torch.float64),
    )


@dataclass(frozen=True)
class Operator:
    name: str
    apply: Callable[[torch.Tensor, Case], torch.Tensor]
    adjoint: Callable[[torch.Tensor, Case], torch.Tensor]
    domain: Callable[[Case], tuple[int, ...]]


def patches(case: Case) -> tuple[int, ...]:
    return (GROUPS, PATTERNS, case.n, case.n)


OPERATORS = [
    Operator("fourier", lambda x, _: fourier(x), lambda y, _: inverse_fourier(y), patches),
    Operator(
        "extract",
        lambda x, c: extract_patches(x, c.corners, c.n),
        lambda y, c: place_patches(y, c.corners, CANVAS),
        lambda _: (GROUPS, *CANVAS),
    ),
    Operator(
        "place",
        lambda x, c: place_patches(x, c.corners, CANVAS),
        lambda y, c: extract_patches(y, c.corners, c.n),
        patches,
    ),
    Operator(
        "illuminate",
        lambda x, c: exit_waves(x, c.probe),
        lambda y, c: back_project(y, c.probe),
        patches,
    ),
    Operator(
        "shift",
        lambda x, c: shift_waves(x, c.fractions),
        lambda y, c: shift_waves(y, -c.fractions),
        patches,
    ),
    Operator(
        "measure",
        lambda x, c: fourier(exit_waves(extract_patches(x, c.corners, c.n), c.probe)),
        lambda y, c: place_patches(back_project(inverse_fourier(y), c.probe), c.corners, CANVAS),
        lambda _: (GROUPS, *CANVAS),
    ),
]

CASES = [make_case(n, modes) for n in (8, 9, 16, 17) for modes in (1, 3)]


def random_like(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=rng, dtype=torch.complex128)


def inner(a: torch.Tensor, b: torch.Tensor) -> complex:
    return torch.vdot(a.flatten(), b.flatten()).item()


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"N{c.n}P{c.modes}")
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda o: o.name)
class TestOperator:
    def test_adjoint(self, operator, case):
        x = random_like(operator.domain(case), 1)
        image = operator.apply(x, case)
        y = random_like(tuple(image.shape), 2)
        left, right = inner(image, y), inner(x, operator.adjoint(y, case))
        assert abs(left - right) < 1e-11 * abs(left) + 1e-10

    def test_linear(self, operator, case):
        x, z = (random_like(operator.domain(case), seed) for seed in (3, 4))
        factor = 0.3 - 2.1j
        together = operator.apply(factor * x + z, case)
        apart = factor * operator.apply(x, case) + operator.apply(z, case)
        torch.testing.assert_close(together, apart, rtol=1e-10, atol=1e-10)

    def test_autograd_is_the_adjoint(self, operator, case):
        x = random_like(operator.domain(case), 6).requires_grad_()
        image = operator.apply(x, case)
        y = random_like(tuple(image.shape), 7)
        (gradient,) = torch.autograd.grad(image, x, grad_outputs=y)
        torch.testing.assert_close(gradient, operator.adjoint(y, case), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n", [4, 5])
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda o: o.name)
def test_gradcheck_twice(operator, n):
    case = make_case(n, 2)
    shape = operator.domain(case)
    x = random_like(shape, 8).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: operator.apply(v, case), (x,), fast_mode=True)
    assert torch.autograd.gradgradcheck(
        lambda v: operator.apply(v, case).abs().square(), (x,), fast_mode=True
    )


@pytest.mark.parametrize("n", [8, 9, 16, 17])
def test_fourier_keeps_energy_and_is_undone(n):
    wave = random_like((GROUPS, PATTERNS, n, n), 5)
    spectrum = fourier(wave)
    energy = wave.abs().square().sum().item()
    assert spectrum.abs().square().sum().item() == pytest.approx(energy)
    torch.testing.assert_close(inverse_fourier(spectrum), wave)
