from dataclasses import replace

import numpy as np
import pytest
import torch

from ptychopinn.physics.subsets import Subset
from ptychopinn.refinement.patterns import PatternBatches
from ptychopinn.refinement.solver import JointSolver
from ptychopinn.refinement.warp import Warp
from tests.conftest import make_scan

CPU = torch.device("cpu")


@pytest.fixture
def scan():
    return make_scan(24, side=8, photons=1e7, step=3.0)


def solver_of(scan, batch_size=4, subsets=4, seen=None):
    batches = PatternBatches(scan, subsets, batch_size, CPU, 1e8)
    flat = np.ones(scan.canvas_shape, dtype=np.complex64)
    return JointSolver(
        scan, scan.probe, flat, batches, CPU, seen.append if seen is not None else None
    )


def test_patterns_that_are_set_aside_leave_no_trace(scan):
    """As if they had never been measured; and whole batches of them are no trouble."""
    aside = np.zeros(scan.n_patterns, dtype=bool)
    aside[: scan.n_patterns // 3] = True
    spoilt = np.array(scan.patterns)
    spoilt[aside] = spoilt[aside][:, ::-1, ::-1] * 3
    answers = []
    for patterns in (scan.patterns, spoilt):
        solver = solver_of(replace(scan, patterns=patterns))
        solver.set_aside = aside
        for _ in range(3):
            solver.sweep(4, refine_probe=True)
        answers.append((solver.canvas, solver.probe))
    for first, second in zip(*answers, strict=True):
        torch.testing.assert_close(first, second)


def test_a_sweep_that_nobody_is_heeded_in_changes_nothing(scan):
    seen: list[int] = []
    solver = solver_of(scan, seen=seen)
    solver.set_aside[:] = True
    solver.sweep(4, refine_probe=True)
    assert torch.equal(solver.canvas, torch.ones_like(solver.canvas))
    assert torch.equal(solver.probe, torch.from_numpy(scan.probe))
    assert sum(seen) == scan.n_patterns


def test_patterns_that_are_held_out_are_counted_but_not_learned(scan):
    seen: list[int] = []
    solver, part = solver_of(scan, seen=seen), Subset(1, 4)
    asked = solver.stretch_equations(part).asked()
    assert len(asked) == scan.n_patterns // 4
    spoilt = np.array(scan.patterns)
    spoilt[asked] = spoilt[asked][:, ::-1, ::-1] * 3
    other = solver_of(replace(scan, patterns=spoilt))
    for each in (solver, other):
        each.held_out = part
        for _ in range(3):
            each.sweep(4, refine_probe=True)
    assert torch.equal(solver.canvas, other.canvas)
    assert torch.equal(solver.probe, other.probe)
    assert sum(seen) == 3 * scan.n_patterns


def test_after_a_warp_an_overshoot_goes_back_to_the_warped_object(scan):
    solver = solver_of(scan)
    for _ in range(5):
        solver.sweep(4, refine_probe=False)
    warp = Warp(np.array([20.0, 20.0]), 20.0, 1, np.array([[0.5, 0.0], [0.0, -0.5]]))
    solver.warp(warp)
    warped = solver.canvas
    solver.sweep(4, refine_probe=False)
    solver._least = 0.0  # whatever comes now overshot
    solver.sweep(4, refine_probe=False)
    assert torch.equal(solver.canvas, warped)
