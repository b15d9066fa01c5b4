"""Object and probe solved for together, by ordered subsets of the patterns with momentum."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from ptychopinn.physics.canvas import extract_patches, place_patches
from ptychopinn.physics.fourier import squared_modulus
from ptychopinn.physics.fused import (
    add_back_projected,
    add_light,
    can_fuse,
    moved_probes,
    moved_waves,
)
from ptychopinn.physics.linearised import LikelihoodEquations, PatternEquations
from ptychopinn.physics.probe import back_project, exit_waves, probe_slopes_at, probes_at
from ptychopinn.physics.projection import PROJECTION, modulus_residual
from ptychopinn.physics.refinement import position_equations, probe_update, stretch_equations
from ptychopinn.physics.subsets import EVERY, Subset, visiting_order
from ptychopinn.processes import Processes
from ptychopinn.refinement.patterns import PatternBatches
from ptychopinn.refinement.warp import Warp, warped_object
from ptychopinn.scan import Scan

#: Nesterov momentum of object and probe between two steps.
MOMENTUM = 0.85
#: A sweep that leaves this many times the least misfit overshot.
_RISE = 1.3
#: Damping of the division by the illumination, and by sum |O|^2: shares of their maxima.
OBJECT_DAMPING, PROBE_DAMPING = 0.5, 0.1
#: Divides nothing by nothing where no pattern of a step is heeded.
_NO_LIGHT = 1e-12


class _Asked(NamedTuple):
    """What patterns ask of object and probe, with the weights that they ask with."""

    object: torch.Tensor
    light: torch.Tensor
    probe: torch.Tensor
    density: torch.Tensor
    misfit: torch.Tensor
    """(2,) sum |psi' - psi|^2, and the light that it is a share of."""

    def __add__(self, other: "_Asked") -> "_Asked":  # type: ignore[override]
        return _Asked(*(a + b for a, b in zip(self, other, strict=True)))


class JointSolver:
    """The unknowns of a scan, and the steps that bring them into agreement with its patterns.

    A step, with the patterns k of a subset, starts ahead of object and probe by their momentum:

        O <- O + sum_k place( sum_p conj(P_kp) chi_kp ) / (light + a max light)
        P <- P + sum_k shift( conj(O_k) chi_kp, -f_k ) / (density + b max density)

    with chi = psi' - psi, light = sum_k place(sum_p |P_kp|^2), density = sum_k |O_k|^2.

    Args:
        scan: In the gauge of the package; its positions are where it starts.
        probe: (P, N, N) complex64 to start from.
        canvas: (H, W) complex64 to start from.
        batches: The patterns.
        device: Where the work is done.
        on_batch: Called with the number of patterns after each batch of a sweep.

    Of several processes each works on its own batches, and what they ask is summed: a step takes
    one collective, `equations` and `misfits` one each.

    Source: Maiden, Johnson & Li, Optica 4, 736 (2017) for the damping and the momentum;
    Thibault & Guizar-Sicairos, New J. Phys. 14, 063004 (2012) for the sums.
    """

    def __init__(
        self,
        scan: Scan,
        probe: np.ndarray,
        canvas: np.ndarray,
        batches: PatternBatches,
        device: torch.device,
        on_batch: Callable[[int], None] | None = None,
    ) -> None:
        self._n = scan.n
        self._shape = scan.canvas_shape
        self._batches = batches
        self._device = device
        self._on_batch = on_batch
        self.canvas = torch.from_numpy(canvas).to(device)[None]
        """(1, H, W) complex object."""
        self.probe = torch.from_numpy(probe).to(device)
        """(P, N, N) complex."""
        self.positions_px = scan.positions_px.copy()
        """(K, 2) float64; whoever moves them writes here."""
        self.set_aside = np.zeros(scan.n_patterns, dtype=bool)
        """(K,) patterns that ask nothing of object and probe; whoever doubts them writes here."""
        self.held_out: Subset | None = None
        """Patterns that sweeps leave out, so that they can judge; a union of the sweep's steps."""
        self._canvas_move = torch.zeros_like(self.canvas)
        self._probe_move = torch.zeros_like(self.probe)
        self._kept, self._least = (self.canvas, self.probe), math.inf
        self._pace = 1.0

    def _windows(self, positions_px: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Return corners and fractions, (1, C, 2) each."""
        whole = np.floor(positions_px)
        corners = torch.from_numpy(whole.astype(np.int64) - self._n // 2)
        fractions = torch.from_numpy((positions_px - whole).astype(np.float32))
        return corners[None].to(self._device), fractions[None].to(self._device)

    @property
    def processes(self) -> Processes:
        """Who shares the patterns."""
        return self._batches.processes

    def sweep(self, subsets: int, *, refine_probe: bool) -> float:
        """Take one step with each subset; return the misfit on the way, as a share of the light.

        A sweep that overshot is taken back, and steps are half as long from then on.
        """
        before = self.canvas, self.probe
        misfit = self._steps(subsets, refine_probe=refine_probe)
        if misfit > _RISE * self._least:
            self.canvas, self.probe = self._kept
            self._canvas_move = torch.zeros_like(self.canvas)
            self._probe_move = torch.zeros_like(self.probe)
            self._pace *= 0.5
        elif misfit <= self._least:
            self._kept, self._least = before, misfit
        return misfit

    def _steps(self, subsets: int, *, refine_probe: bool) -> float:
        steps = []
        for part in visiting_order(subsets):
            if self.held_out is None or not part.within(self.held_out):
                steps.append(self._step(part, refine_probe=refine_probe))
            elif self._on_batch:
                for number in self._batches.of(part):
                    self._on_batch(len(self._batches.members(number)))
        misfit, light = torch.stack(steps).sum(dim=0).tolist()
        return float(misfit / max(light, 1e-12))

    @torch.inference_mode()
    def _step(self, subset: Subset, *, refine_probe: bool) -> torch.Tensor:
        canvas = self.canvas + MOMENTUM * self._canvas_move
        probe = self.probe + MOMENTUM * self._probe_move if refine_probe else self.probe

        def work(numbers: Sequence[int]) -> _Asked:
            return self._asked(numbers, canvas, probe, refine_probe=refine_probe)

        parts = self._batches.share(work, self._batches.of(subset))
        asked = parts[0]
        for part in parts[1:]:
            asked = asked + part
        asked = _Asked(*self.processes.add_up_together(*asked))
        floor = (OBJECT_DAMPING * asked.light.max()).clamp_min(_NO_LIGHT)
        ahead = canvas + self._pace * asked.object / (asked.light + floor)
        self._canvas_move, self.canvas = ahead - self.canvas, ahead
        if refine_probe:
            floor = (PROBE_DAMPING * asked.density.max()).clamp_min(_NO_LIGHT)
            ahead = probe + self._pace * asked.probe / (asked.density + floor)
            self._probe_move, self.probe = ahead - self.probe, ahead
        return asked.misfit

    def _asked(
        self,
        numbers: Sequence[int],
        canvas: torch.Tensor,
        probe: torch.Tensor,
        *,
        refine_probe: bool,
    ) -> _Asked:
        total = _Asked(
            torch.zeros_like(canvas),
            torch.zeros_like(canvas.real),
            torch.zeros_like(probe),
            torch.zeros_like(probe[0].real),
            torch.zeros(2, dtype=probe.real.dtype, device=self._device),
        )
        for number in numbers:
            if self._on_batch:
                self._on_batch(len(self._batches.members(number)))
            members, amplitude = self._heeded(number)
            if not len(members):
                continue
            corners, fractions = self._windows(self.positions_px[members])
            probes = moved_probes(probe, fractions[0])[None]
            change = self._ask_object(total.object, canvas, corners, amplitude, probes)
            add_light(total.light, probes, corners)
            left = squared_modulus(change).sum(), amplitude.square().sum()
            total.misfit.add_(torch.stack(left))
            if refine_probe:
                patches = extract_patches(canvas, corners, self._n)
                total.probe.add_(probe_update(patches, change, fractions))
                total.density.add_(squared_modulus(patches).sum(dim=(0, 1)))
        return total

    def _heeded(self, number: int) -> tuple[np.ndarray, torch.Tensor]:
        """Return members and amplitudes of a batch, without the patterns that are set aside."""
        members, amplitude = self._batches.members(number), self._batches.amplitude(number)
        heeded = ~self.set_aside[members]
        if heeded.all():
            return members, amplitude
        return members[heeded], amplitude[:, torch.from_numpy(heeded).to(self._device)]

    def _ask_object(
        self,
        total: torch.Tensor,
        canvas: torch.Tensor,
        corners: torch.Tensor,
        amplitude: torch.Tensor,
        probes: torch.Tensor,
    ) -> torch.Tensor:
        """Add to the total what patterns ask of the object; return (1, C, P, N, N) psi' - psi."""
        if can_fuse(canvas, probes):
            lit = (amplitude, probes)
            change = moved_waves(canvas, corners, lit, self._batches.good, PROJECTION)
            add_back_projected(total, change, corners, probes)
            return change
        waves = exit_waves(extract_patches(canvas, corners, self._n), probes)
        change = modulus_residual(waves, amplitude, self._batches.mask)
        place_patches(back_project(change, probes), corners, self._shape, out=total)
        return change

    def equations(self) -> PatternEquations:
        """Return the equations of every position, D = 2."""

        def linearised(
            corners: torch.Tensor, fractions: torch.Tensor, amplitude: torch.Tensor
        ) -> LikelihoodEquations:
            return position_equations(
                extract_patches(self.canvas, corners, self._n),
                probes_at(self.probe, fractions),
                probe_slopes_at(self.probe, fractions),
                amplitude,
                self._batches.mask,
            )

        return self._equations(linearised, 2, EVERY)

    def stretch_equations(self, subset: Subset) -> PatternEquations:
        """Return those of a stretch and a move, D = 6, see `physics.refinement`."""
        slopes = torch.gradient(self.canvas[0])

        def linearised(
            corners: torch.Tensor, fractions: torch.Tensor, amplitude: torch.Tensor
        ) -> LikelihoodEquations:
            cut = [extract_patches(slope[None], corners, self._n) for slope in slopes]
            return stretch_equations(
                extract_patches(self.canvas, corners, self._n),
                torch.stack(cut, dim=2),
                self.probe,
                fractions,
                amplitude,
                self._batches.mask,
            )

        return self._equations(linearised, 6, subset)

    def _equations(
        self, linearised: Callable[..., LikelihoodEquations], unknowns: int, subset: Subset
    ) -> PatternEquations:
        found = PatternEquations.none_asked(len(self.positions_px), unknowns)

        def work(numbers: Sequence[int]) -> None:
            for number in numbers:
                members = self._batches.members(number)
                windows = self._windows(self.positions_px[members])
                found.fill(members, linearised(*windows, self._batches.amplitude(number)))

        self._batches.share(work, self._batches.of(subset))
        return PatternEquations(*self.processes.fill_in(*found))

    @torch.inference_mode()
    def warp(self, warp: Warp) -> None:
        """Warp the object and its momentum, see `warped_object`."""
        self.canvas, self._canvas_move = (
            warped_object(canvas, warp) for canvas in (self.canvas, self._canvas_move)
        )
        # What was before belongs to other positions, and interpolation blurs the object a little.
        self._kept, self._least = (self.canvas, self.probe), math.inf

    def misfits(self) -> np.ndarray:
        """Return (K,) what object and probe leave of each pattern, as a share of its light."""
        found = np.zeros(len(self.positions_px))

        def work(numbers: Sequence[int]) -> None:
            for number in numbers:
                members = self._batches.members(number)
                amplitude = self._batches.amplitude(number)
                left = self._misfit(self.positions_px[members], amplitude)
                light = amplitude.square().sum(dim=(0, 2, 3)).clamp_min(1e-12)
                found[members] = (left / light).cpu().numpy()

        self._batches.share(work, self._batches.of(EVERY))
        (found_by_all,) = self.processes.fill_in(found)
        return found_by_all

    @torch.inference_mode()
    def misfits_at(self, pattern: int, places_px: np.ndarray, batch_size: int) -> np.ndarray:
        """Return (M,) what would be left of one pattern if it stood at (M, 2) places."""
        amplitude = self._batches.amplitude_of(np.array([pattern]))
        return np.concatenate(
            [
                self._misfit(places_px[start : start + batch_size], amplitude).cpu().numpy()
                for start in range(0, len(places_px), batch_size)
            ]
        )

    def _misfit(self, positions_px: np.ndarray, amplitude: torch.Tensor) -> torch.Tensor:
        """Return (C,) sums of |psi' - psi|^2; one amplitude serves any number of positions."""
        corners, fractions = self._windows(positions_px)
        patches = extract_patches(self.canvas, corners, self._n)
        waves = exit_waves(patches, probes_at(self.probe, fractions))
        change = modulus_residual(waves, amplitude, self._batches.mask)
        return squared_modulus(change).sum(dim=(0, 2, 3, 4))
