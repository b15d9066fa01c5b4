"""Patches onto a canvas: one weighted mean, for training and for stitching, streaming or not."""

from typing import Literal

import torch

from ptychopinn.physics.canvas import place_patches
from ptychopinn.physics.probe import shift_waves
from ptychopinn.processes import Processes

#: Illumination below this share of the maximum counts as dark: nothing is known there.
DARK = 1e-6


def in_window_frame(
    patches: torch.Tensor, fractions: torch.Tensor, frame: Literal["window", "probe"]
) -> torch.Tensor:
    """Move patches that lie in the probe's own frame by the sub-pixel part of their position.

    Args:
        patches: (B, C, N, N) complex.
        fractions: (B, C, 2) real.
        frame: ``window`` patches lie on whole pixels already and are returned as they are.
    """
    return shift_waves(patches, fractions) if frame == "probe" else patches


class PatchSum:
    """Numerator and denominator of the merged canvas, one weight for both.

        O = sum_k place(w_k patch_k) / sum_k place(w_k),   w_k = sum_p |P_kp|^2

    Args:
        canvas_shape: (H, W).
        like: Tensor whose device the sums live on.
        groups: Number B of canvases.
    """

    def __init__(self, canvas_shape: tuple[int, int], like: torch.Tensor, groups: int = 1) -> None:
        shape = (groups, *canvas_shape)
        self._total = torch.zeros(shape, dtype=torch.complex64, device=like.device)
        self.illumination = torch.zeros(shape, dtype=torch.float32, device=like.device)
        """(B, H, W) real, the denominator."""

    def add(self, patches: torch.Tensor, weight: torch.Tensor, corners: torch.Tensor) -> None:
        """Add (B, C, N, N) complex patches with (B, C, N, N) weights; no gradient."""
        shape = (self._total.shape[-2], self._total.shape[-1])
        place_patches(patches * weight, corners, shape, out=self._total)
        place_patches(weight, corners, shape, out=self.illumination)

    def gather(self, processes: Processes) -> None:
        """Replace the sums by those of all processes."""
        processes.add_up(self._total)
        processes.add_up(self.illumination)

    def merged(self) -> torch.Tensor:
        """Return the (B, H, W) complex canvas; 0 where it is dark."""
        return divide_by_illumination(self._total, self.illumination)


def divide_by_illumination(total: torch.Tensor, illumination: torch.Tensor) -> torch.Tensor:
    """Return total / illumination where there is light, 0 elsewhere; (B, H, W) both."""
    lit = illumination > DARK * illumination.amax(dim=(-2, -1), keepdim=True)
    safe = torch.where(lit, illumination, torch.ones_like(illumination))
    return torch.where(lit, total / safe, torch.zeros_like(total))


def merge_patches(
    patches: torch.Tensor,
    weight: torch.Tensor,
    corners: torch.Tensor,
    canvas_shape: tuple[int, int],
) -> torch.Tensor:
    """Merge overlapping patches into canvases, differentiably; see `PatchSum` for the equation.

    Args:
        patches: (B, C, N, N) complex, in the window frame.
        weight: (B, C, N, N) real, sum over modes of |P|^2.
        corners: (B, C, 2) int64.
        canvas_shape: (H, W).

    Returns:
        (B, H, W) complex.
    """
    total = place_patches(patches * weight, corners, canvas_shape)
    return divide_by_illumination(total, place_patches(weight, corners, canvas_shape))
