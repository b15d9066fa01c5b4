"""Cutting windows out of a canvas and adding windows onto it: exact adjoints of each other."""

from typing import Any

import torch

from ptychopinn.axes import require_axes
from ptychopinn.errors import ShapeError


def extract_patches(canvas: torch.Tensor, corners: torch.Tensor, n: int) -> torch.Tensor:
    """Cut integer windows out of canvases.

        patch[b, c, i, j] = canvas[b, y + i, x + j],   (y, x) = corners[b, c]

    Args:
        canvas: (B, H, W) real or complex.
        corners: (B, C, 2) int64, first pixel (y, x) of each window.
        n: Window side N.

    Returns:
        (B, C, N, N), same dtype. Differentiable, any number of times.

    Raises:
        ShapeError: Ranks differ from the above, or a window leaves the canvas.
    """
    sizes = require_axes("canvas", canvas, "B H W")
    require_axes("corners", corners, "B C 2", kind="real", B=sizes["B"])
    _require_inside(corners, n, (sizes["H"], sizes["W"]))
    return _Extract.apply(canvas, corners, n)


def place_patches(
    patches: torch.Tensor,
    corners: torch.Tensor,
    canvas_shape: tuple[int, int],
    *,
    out: torch.Tensor | None = None,
) -> torch.Tensor:
    """Add windows onto zero canvases; the adjoint of `extract_patches`.

        canvas[b, y + i, x + j] = sum over c of patch[b, c, i, j],   (y, x) = corners[b, c]

    Args:
        patches: (B, C, N, N) real or complex.
        corners: (B, C, 2) int64, first pixel (y, x) of each window.
        canvas_shape: (H, W).
        out: (B, H, W) canvases to add to in place, without gradient; None = fresh zeros.

    Returns:
        (B, H, W), same dtype. Differentiable, any number of times, unless ``out`` is given.

    Raises:
        ShapeError: Ranks differ from the above, or a window leaves the canvas.
    """
    sizes = require_axes("patches", patches, "B C N N")
    require_axes("corners", corners, "B C 2", kind="real", B=sizes["B"], C=sizes["C"])
    _require_inside(corners, sizes["N"], canvas_shape)
    if out is not None:
        require_axes("out", out, "B H W", B=sizes["B"], H=canvas_shape[0], W=canvas_shape[1])
        add_windows(out, patches, corners)
        return out
    return _Place.apply(patches, corners, canvas_shape)


def _require_inside(corners: torch.Tensor, n: int, canvas_shape: tuple[int, int]) -> None:
    if corners.numel() == 0:
        return
    low = corners.amin(dim=(0, 1)).tolist()
    high = corners.amax(dim=(0, 1)).tolist()
    if min(low) < 0 or high[0] + n > canvas_shape[0] or high[1] + n > canvas_shape[1]:
        raise ShapeError(
            f"corners: expected windows of {n} px inside {canvas_shape[0]} x {canvas_shape[1]}, "
            f"got first pixels from {tuple(low)} to {tuple(high)}."
        )


def cut_windows(canvas: torch.Tensor, corners: torch.Tensor, n: int) -> torch.Tensor:
    """Do the work of `extract_patches` for windows that are known to lie inside, no gradient."""
    windows = canvas.unfold(1, n, 1).unfold(2, n, 1)
    group = torch.arange(canvas.shape[0], device=canvas.device)[:, None]
    return windows[group, corners[..., 0], corners[..., 1]]


def add_windows(canvas: torch.Tensor, patches: torch.Tensor, corners: torch.Tensor) -> None:
    """Do the work of `place_patches` in place, for windows known to lie inside, no gradient."""
    add = _add_by_slices if canvas.device.type == "cpu" else _add_by_index
    add(canvas, patches, corners)


def _add_by_slices(canvas: torch.Tensor, patches: torch.Tensor, corners: torch.Tensor) -> None:
    """Add window by window: on a CPU a slice is an order faster than indexed addition."""
    n = patches.shape[-1]
    flat = torch.view_as_real(canvas) if canvas.is_complex() else canvas
    added = torch.view_as_real(patches.resolve_conj()) if patches.is_complex() else patches
    for b, group in enumerate(corners.tolist()):
        for c, (y, x) in enumerate(group):
            # Not `+=`, which copies the window onto itself once more.
            flat[b, y : y + n, x : x + n].add_(added[b, c])


def _add_by_index(canvas: torch.Tensor, patches: torch.Tensor, corners: torch.Tensor) -> None:
    """Add all windows in one indexed addition, for devices where a launch costs more than it."""
    b, height, width = canvas.shape
    n = patches.shape[-1]
    offset = torch.arange(n, device=canvas.device)
    rows = corners[..., 0, None] + offset
    columns = corners[..., 1, None] + offset
    group = torch.arange(b, device=canvas.device)[:, None, None, None]
    index = (group * height + rows[..., :, None]) * width + columns[..., None, :]
    canvas.view(-1).index_add_(0, index.reshape(-1), patches.reshape(-1))


class _Extract(torch.autograd.Function):
    """Differentiable window extraction; its backward is `_Place`."""

    @staticmethod
    def forward(ctx: Any, canvas: torch.Tensor, corners: torch.Tensor, n: int) -> torch.Tensor:
        ctx.save_for_backward(corners)
        ctx.canvas_shape = (canvas.shape[1], canvas.shape[2])
        return cut_windows(canvas, corners, n)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (corners,) = ctx.saved_tensors
        return _Place.apply(gradients[0], corners, ctx.canvas_shape), None, None


class _Place(torch.autograd.Function):
    """Differentiable window addition; its backward is `_Extract`."""

    @staticmethod
    def forward(
        ctx: Any, patches: torch.Tensor, corners: torch.Tensor, canvas_shape: tuple[int, int]
    ) -> torch.Tensor:
        ctx.save_for_backward(corners)
        ctx.n = patches.shape[-1]
        canvas = patches.new_zeros((patches.shape[0], *canvas_shape))
        add_windows(canvas, patches, corners)
        return canvas

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (corners,) = ctx.saved_tensors
        return _Extract.apply(gradients[0], corners, ctx.n), None, None
