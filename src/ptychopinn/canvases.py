"""The canvases that any generator makes of a batch; for training and for trying a bundle."""

import torch

from ptychopinn.generators import CanvasGenerator, Generator, PatchGenerator
from ptychopinn.physics.view import BatchView
from ptychopinn.reassembly import in_window_frame, merge_patches


def reconstruct_batch(generator: Generator, view: BatchView) -> torch.Tensor:
    """Return the (B, H, W) complex canvases that a generator makes of a batch.

    Patches are merged with the illumination as weight before anything is predicted from them:
    overlap is what makes the object unique.
    """
    if isinstance(generator, CanvasGenerator):
        return generator(view)
    return merge_in_view(predict_patches(generator, view), view)


def predict_patches(generator: PatchGenerator, view: BatchView) -> torch.Tensor:
    """Return the (B, C, N, N) complex patches of a generator, on whole pixels of the canvas."""
    return in_window_frame(generator(view), view.batch.fractions, generator.frame)


def merge_in_view(patches: torch.Tensor, view: BatchView) -> torch.Tensor:
    """Return the (B, H, W) weighted means of (B, C, N, N) patches, by the light of each window."""
    return merge_patches(patches, view.weight, view.batch.corners, view.batch.canvas_shape)
