"""A set of patterns as its canvas sees it: all that a reconstructor asks of the data."""

from functools import cached_property
from typing import Protocol

import torch

from ptychopinn.physics.canvas import extract_patches, place_patches
from ptychopinn.physics.diffraction import diffract
from ptychopinn.physics.fourier import intensity, to_corner
from ptychopinn.physics.gauge import seen_share
from ptychopinn.physics.probe import probes_at
from ptychopinn.physics.projection import PROJECTION, ModulusStep, object_update
from ptychopinn.physics.subsets import EVERY, Subset, most_subsets, z_order
from ptychopinn.scan import PatternBatch


class CanvasView(Protocol):
    """What `unrolled` needs: where light fell, and what the patterns ask of an object.

    A training batch holds it in memory with gradients; a whole scan streams it from disk.
    """

    @property
    def illumination(self) -> torch.Tensor:
        """(B, H, W) real, sum_k place(sum_p |P_kp|^2), photons per pixel."""

    @property
    def subsets(self) -> int:
        """Most subsets that it can be cut into, a power of two."""

    @property
    def counts_per_pixel(self) -> float:
        """Mean photons that fall on a detector pixel, good or bad."""

    @property
    def seen_share(self) -> float:
        """Share of them that fall on good pixels."""

    def illumination_of(self, subset: Subset) -> torch.Tensor:
        """(B, H, W) real, the illumination by the patterns of a subset."""

    def update(
        self, canvas: torch.Tensor, subset: Subset = EVERY, step: ModulusStep = PROJECTION
    ) -> torch.Tensor:
        """(B, H, W) complex object to (B, H, W) complex sum_k place(object_update_k)."""


def amplitude_in_corner(counts: torch.Tensor) -> torch.Tensor:
    """Return sqrt(counts) of (..., N, N) patterns with the zero frequency in the corner."""
    return to_corner(counts.clamp_min(0).sqrt())


class BatchView:
    """The view of one batch of groups, differentiable, every array in memory.

    Args:
        batch: Patterns, positions, the probe.
        probes: (B, C, P, N, N) complex, each pattern's own probe, where they are known already.
    """

    def __init__(self, batch: PatternBatch, probes: torch.Tensor | None = None) -> None:
        self.batch = batch
        self.probes = probes_at(batch.probe, batch.fractions) if probes is None else probes
        """(B, C, P, N, N) complex, each pattern's own probe."""
        self._mask = None if bool((batch.mask > 0).all()) else to_corner(batch.mask)
        self._light: dict[Subset, torch.Tensor] = {}

    def select(self, numbers: torch.Tensor) -> "BatchView":
        """Return the view of some patterns, (B, c) int64 numbers, of every group."""
        rows = torch.arange(len(numbers), device=numbers.device)[:, None]
        counts, corners, fractions, probes = (
            values[rows, numbers]
            for values in (
                self.batch.counts,
                self.batch.corners,
                self.batch.fractions,
                self.probes,
            )
        )
        members = None if self.batch.members is None else self.batch.members[rows, numbers]
        chosen = self.batch._replace(
            counts=counts, corners=corners, fractions=fractions, members=members
        )
        return BatchView(chosen, probes)

    @cached_property
    def weight(self) -> torch.Tensor:
        """(B, C, N, N) real, illumination of each window: the weight of its patch in a merge."""
        return intensity(self.probes)

    @cached_property
    def illumination(self) -> torch.Tensor:
        """(B, H, W) real, photons per pixel."""
        return place_patches(self.weight, self.batch.corners, self.batch.canvas_shape)

    @cached_property
    def counts_per_pixel(self) -> float:
        """Mean photons on a detector pixel: the gauge puts them into the probe."""
        return float(intensity(self.batch.probe).mean())

    @cached_property
    def seen_share(self) -> float:
        """Share of the light on good pixels."""
        return 1.0 if self._mask is None else seen_share(self.batch.probe, self.batch.mask)

    @cached_property
    def _amplitude(self) -> torch.Tensor:
        return amplitude_in_corner(self.batch.counts)

    @cached_property
    def _order(self) -> torch.Tensor:
        return z_order(self.batch.corners)

    @property
    def probe_size(self) -> int:
        """Side N of a pattern."""
        return int(self.probes.shape[-1])

    def extract(self, canvas: torch.Tensor) -> torch.Tensor:
        """Cut the window of every pattern out of (B, H, W) canvases: (B, C, N, N)."""
        return extract_patches(canvas, self.batch.corners, self.probe_size)

    def patch_update(self, patches: torch.Tensor, step: ModulusStep = PROJECTION) -> torch.Tensor:
        """Return what each pattern asks of its own (B, C, N, N) patch."""
        return object_update(patches, self.probes, self._amplitude, self._mask, step)

    @property
    def subsets(self) -> int:
        """Most subsets that the groups can be cut into."""
        return most_subsets(self._order.shape[1])

    def _members(self, values: torch.Tensor, subset: Subset) -> torch.Tensor:
        """Take a subset of (B, C, ...) values, along the curve of each group."""
        chosen = self._order[:, subset.index :: subset.count]
        return values[torch.arange(len(chosen), device=chosen.device)[:, None], chosen]

    def illumination_of(self, subset: Subset) -> torch.Tensor:
        """Return the light of a subset on (B, H, W) canvases."""
        if subset == EVERY:
            return self.illumination
        if subset not in self._light:
            weight, corners = (
                self._members(values, subset) for values in (self.weight, self.batch.corners)
            )
            self._light[subset] = place_patches(weight, corners, self.batch.canvas_shape)
        return self._light[subset]

    def update(
        self, canvas: torch.Tensor, subset: Subset = EVERY, step: ModulusStep = PROJECTION
    ) -> torch.Tensor:
        """Sum what the patterns ask of (B, H, W) objects; see `projection.object_update`."""
        if subset == EVERY:
            change = self.patch_update(self.extract(canvas), step)
            return place_patches(change, self.batch.corners, self.batch.canvas_shape)
        corners, probes, amplitude = (
            self._members(values, subset)
            for values in (self.batch.corners, self.probes, self._amplitude)
        )
        patches = extract_patches(canvas, corners, self.probe_size)
        change = object_update(patches, probes, amplitude, self._mask, step)
        return place_patches(change, corners, self.batch.canvas_shape)

    def predict(self, canvas: torch.Tensor) -> torch.Tensor:
        """Return the counts that (B, H, W) objects predict: (B, C, N, N)."""
        return diffract(self.extract(canvas), self.probes)
