"""Probe and positions as parameters, which a loss on the patterns moves with every step."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from ptychopinn.config import RefinementConfig
from ptychopinn.errors import TrainingError
from ptychopinn.physics.refinement import orthogonal_modes
from ptychopinn.refinement.positions import canvas_limits
from ptychopinn.scan import PatternBatch, Scan

#: Learning rates of the probe (share of its rms) and positions (px), as multiples of the setting.
#: Adam takes steps of about the rate, however small the gradient, so that they also say how far
#: noise may push. Positions that were right to 0.017 px are at 0.019 px after 60 steps with 2, at
#: 0.038 with 5, at 0.10 with 20; a refined probe costs the image of the real scan 2 % after 300
#: steps with 0.3, 8 % with 1.
PROBE_RATE, POSITION_RATE = 0.3, 2.0


class LearnedScan(nn.Module):
    """The probe and the positions of a scan, as far as a training refines them.

        P   = q (P_0 + rms(P_0) c),               q such that sum |P|^2 stays: the gauge
        r_k = r_0k + A (r_0k - mean r_0) / edge + u_k / sqrt(1 + |u_k|^2 / bound^2)

    with edge the largest distance of a position from their mean along an axis. c (all modes), A
    (2 x 2, in px at the edge) and u_k (px, with ``points`` only) start at zero. There is no common
    shift: with the same shift of the object it changes nothing. What is frozen has no parameter,
    and comes back as the very tensor that came in.

    Positions move by their fractions alone; `physics.probe.probes_at` takes any. A probe that
    moves by more than its distance from the border of its window wraps around there.

    Args:
        scan: The patterns that are trained on, as refined as they are before the training.
        settings: What is refined, and the bound.

    Shapes:
        A `PatternBatch` whose members are numbers of these patterns, to the same with probe and
        fractions as they are now, differentiable in both.
    """

    _start_probe: torch.Tensor
    _spread: torch.Tensor

    def __init__(self, scan: Scan, settings: RefinementConfig) -> None:
        super().__init__()
        self._bound_px = settings.position_bound_px
        # As real numbers: optimisers and sums over processes know those best.
        probe = torch.view_as_real(torch.from_numpy(scan.probe)).clone()
        self.register_buffer("_start_probe", probe, persistent=False)
        spread = torch.from_numpy(_distances_from_mean(scan.positions_px)).float()
        self.register_buffer("_spread", spread, persistent=False)
        positions = settings.refine_positions
        self.probe_change = _zeros(*probe.shape, wanted=settings.refine_probe)
        """(P, N, N, 2) c, real and imaginary part."""
        self.affine_px = _zeros(2, 2, wanted=positions != "none")
        """(2, 2) A."""
        self.moves_px = _zeros(scan.n_patterns, 2, wanted=positions == "points")
        """(K, 2) u."""

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return groups for the optimiser; nothing pulls them back to where they started."""
        rates = {PROBE_RATE: [self.probe_change], POSITION_RATE: [self.affine_px, self.moves_px]}
        held = {
            rate: [values for values in group if values is not None]
            for rate, group in rates.items()
        }
        return [
            {"params": group, "lr": rate * learning_rate, "weight_decay": 0.0}
            for rate, group in held.items()
            if group
        ]

    def forward(self, batch: PatternBatch) -> PatternBatch:
        """Return the batch with probe and positions as they are now.

        Raises:
            TrainingError: Positions are refined and the batch does not say which patterns it has.
        """
        probe, fractions = batch.probe, batch.fractions
        if self.probe_change is not None:
            probe = self._probe(self.probe_change)
        if self.affine_px is not None:
            if batch.members is None:
                raise TrainingError("positions to be refined want batches with their members.")
            fractions = fractions + self._moves(self.affine_px, batch.members)
        return batch._replace(probe=probe, fractions=fractions)

    def _probe(self, change: torch.Tensor) -> torch.Tensor:
        start = self._start_probe
        rms = (2 * start.square().mean()).sqrt()
        changed = start + rms * change
        scale = (start.square().sum() / changed.square().sum()).sqrt()
        return torch.view_as_complex(changed * scale)

    def _moves(self, affine: torch.Tensor, members: torch.Tensor) -> torch.Tensor:
        """Return (..., 2) px for (...) pattern numbers."""
        moves = self._spread[members] @ affine.T
        if self.moves_px is None:
            return moves
        own = self.moves_px[members]
        length = own.square().sum(dim=-1, keepdim=True)
        return moves + own / (1 + length / self._bound_px**2).sqrt()

    @torch.no_grad()
    def applied_to(self, scan: Scan) -> Scan:
        """Return the scan that it was made for, with probe and positions as they are now.

        The modes are orthogonal, the mean position is what it was, and windows stay on the canvas.
        """
        if self.probe_change is not None:
            probe = orthogonal_modes(self._probe(self.probe_change))
            scan = replace(scan, probe=probe.cpu().numpy())
        if self.affine_px is not None:
            every = torch.arange(scan.n_patterns, device=self.affine_px.device)
            moves = self._moves(self.affine_px, every).double().cpu().numpy()
            wanted = scan.positions_px + moves - moves.mean(axis=0)
            scan = replace(scan, positions_px=np.clip(wanted, *canvas_limits(scan)))
        return scan


def _zeros(*shape: int, wanted: bool) -> nn.Parameter | None:
    return nn.Parameter(torch.zeros(shape)) if wanted else None


def _distances_from_mean(positions_px: np.ndarray) -> np.ndarray:
    """Return (K, 2) distances from the mean position, in units of the largest."""
    centred = positions_px - positions_px.mean(axis=0)
    return np.asarray(centred / max(np.abs(centred).max(), 1e-12))
