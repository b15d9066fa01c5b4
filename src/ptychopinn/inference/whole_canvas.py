"""One image of all patterns of a scan: sweeps of a canvas generator, or patches stitched."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ptychopinn.data import GroupDataset, collate_groups, group_patterns
from ptychopinn.device import (
    automatic_batch_size,
    cache_bytes,
    free_bytes,
    own_threads,
    resolve_device,
)
from ptychopinn.generators import CanvasGenerator, PatchGenerator
from ptychopinn.inference.batching import halve_until_it_fits, keep_freed_memory
from ptychopinn.inference.convergence import settled_canvas, swept_canvas
from ptychopinn.inference.reconstruction_model import ReconstructionModel
from ptychopinn.inference.scan_view import ScanView, Streaming
from ptychopinn.physics.gauge import remove_global_phase
from ptychopinn.physics.view import BatchView
from ptychopinn.processes import current
from ptychopinn.reassembly import DARK, PatchSum, in_window_frame
from ptychopinn.scan import Scan

#: Called with (what, patterns done since the last call, patterns in all).
Progress = Callable[[str, int, int], None]


#: Bytes that a canvas needs for each of its pixels beside the patterns: object, momentum and
#: update, the light of the subsets.
_CANVAS_BYTES = 120
#: The same for a piece of a canvas on the host: object, and what is added to it.
_PIECE_BYTES = 16
#: Share of the free memory of the device that a piece may take.
_PIECE_SHARE = 0.125


def whole_canvas(
    scan: Scan, model: ReconstructionModel, what: str, on_progress: Progress | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return (H, W) complex64 object and (H, W) float32 illumination of a scan in the gauge.

    The global phase is removed; the object is 0 where no light fell. Of several processes each
    works on its share of the patterns, and all return the same.

    Args:
        scan: In the gauge of the package.
        model: What reconstructs it.
        what: A word for progress.
        on_progress: Called as patterns are done.
    """
    settings = model.config.inference
    device = resolve_device(settings.device)
    generator = model.working_generator
    keep_freed_memory()
    size = settings.batch_size or automatic_batch_size(scan.n, scan.n_modes, device)

    def work(batch_size: int) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.inference_mode():
            if isinstance(generator, CanvasGenerator):
                passes = settings.stages or generator.whole_scan_stages
                return _sweep(scan, generator, model, batch_size, counted(passes))
            return _stitch(scan, generator, model, batch_size, counted(1))

    def counted(passes: int) -> "_Count | None":
        if on_progress is None:
            return None
        share = len(current().share(np.arange(scan.n_patterns)))
        return _Count(on_progress, what, share, passes)

    # One of several processes must not take smaller batches than it has agreed on with the others.
    canvas, illumination = work(size) if current().count > 1 else halve_until_it_fits(work, size)
    lit = illumination > DARK * illumination.max()
    image = torch.where(lit, canvas, torch.zeros_like(canvas))[0].cpu().numpy()
    weight = illumination[0].cpu().numpy()
    return remove_global_phase(image, weight).astype(np.complex64), weight


@dataclass
class _Count:
    """Patterns done, told as they are, of a number of passes that may grow."""

    tell: Progress
    what: str
    share: int
    """Patterns of this process in a pass."""
    passes: int

    def __call__(self, done: int) -> None:
        self.tell(self.what, done, self.passes * self.share)

    def more(self, passes: int) -> None:
        """Add passes to those that were expected."""
        self.passes += passes


def canvas_stays_on_host(setting: str, shape: tuple[int, int], device: torch.device) -> bool:
    """Decide where the canvas lives: on the device while it leaves half of its memory free.

    Args:
        setting: auto, device or host.
        shape: (H, W).
        device: Where the patterns are worked on.
    """
    if setting != "auto":
        return setting == "host"
    free = free_bytes(device)
    return free is not None and canvas_bytes(shape) > free / 2


def canvas_bytes(shape: tuple[int, int]) -> int:
    """Return what an (H, W) canvas needs beside the patterns, in bytes."""
    return _CANVAS_BYTES * shape[0] * shape[1]


def largest_piece_px(device: torch.device) -> float:
    """Return how many pixels of a canvas on the host may be on the device at once."""
    free = free_bytes(device)
    return math.inf if free is None else _PIECE_SHARE * free / _PIECE_BYTES


def _sweep(
    scan: Scan,
    generator: CanvasGenerator,
    model: ReconstructionModel,
    batch_size: int,
    on_batch: _Count | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Whole-scan sweeps of a canvas generator."""
    settings = model.config.inference
    device = resolve_device(settings.device)
    wants_host = canvas_stays_on_host(settings.canvas, scan.canvas_shape, device)
    # All or none: a sum is taken where the canvas lives, and free memory may differ.
    on_host = bool(current().add_up(torch.tensor([float(wants_host)])))
    taken = 0 if on_host else canvas_bytes(scan.canvas_shape)
    generator.live_on(torch.device("cpu") if on_host else device, device)
    cache, piece_px = cache_bytes(settings.cache_mb, device, taken), largest_piece_px(device)
    streaming = Streaming(batch_size, device, cache, on_host, piece_px, current())
    with own_threads():
        view = ScanView(scan, streaming, generator.subsets, on_batch)
        waves = settings.long_waves
        if settings.stages:
            canvas = swept_canvas(generator, view, settings.stages, long_waves=waves)
        else:
            more = on_batch.more if on_batch is not None else None
            canvas = settled_canvas(generator, view, more, long_waves=waves)
        return canvas, view.illumination


def _stitch(
    scan: Scan,
    generator: PatchGenerator,
    model: ReconstructionModel,
    batch_size: int,
    on_batch: Callable[[int], None] | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Patches of every group, placed with the illumination as weight."""
    device = resolve_device(model.config.inference.device)
    generator = generator.to(device)
    size = model.group_size
    rng = np.random.default_rng(0)
    groups = group_patterns(
        scan.positions_px, size, scan.n_patterns, scan_index=scan.scan_index, rng=rng
    )
    dataset = GroupDataset(scan, groups)
    collate = collate_groups(dataset)
    total = PatchSum(scan.canvas_shape, torch.empty(0, device=device))
    mine = current().share(np.arange(len(dataset)))
    for numbers in np.array_split(mine, -(-len(mine) // max(1, batch_size // size))):
        batch = collate([dataset[number] for number in numbers]).on(device)
        view = BatchView(batch)
        patches = in_window_frame(generator(view), batch.fractions, generator.frame)
        corners = np.floor(scan.positions_px[groups.indices[numbers]]) - scan.n // 2
        where = torch.from_numpy(corners.astype(np.int64)).reshape(1, -1, 2).to(device)
        total.add(patches.flatten(0, 1)[None], view.weight.flatten(0, 1)[None], where)
        if on_batch:
            on_batch(len(numbers))
    total.gather(current())
    return total.merged(), total.illumination
