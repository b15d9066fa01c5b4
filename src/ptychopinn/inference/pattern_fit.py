"""How patterns agree with what an object predicts: pattern by pattern, and pixel by pixel."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from ptychopinn.device import automatic_batch_size, resolve_device
from ptychopinn.physics.diffraction import predict_counts
from ptychopinn.physics.likelihood import expected_deviance, poisson_deviance
from ptychopinn.processes import ALONE, Processes
from ptychopinn.scan import BadPixels, PatternBatch, PatternFit, Reconstruction, Scan

#: Patterns that are judged where nothing asks for all; more would only take time.
MOST_JUDGED = 192
#: Patterns kept of each kind: best, median and worst explained.
_KEPT_OF_A_KIND = 2


class Judgement(NamedTuple):
    """An object held against J patterns; deviances and counts are means over good pixels."""

    numbers: np.ndarray
    """(J,) int64, which patterns."""
    deviance: np.ndarray
    """(J,) Poisson deviance."""
    expected: np.ndarray
    """(J,) the deviance that photon noise alone would leave at the predicted counts."""
    counts: np.ndarray
    """(J,) measured photons."""
    detector_deviance: np.ndarray
    """(N, N) sum of the deviance over the patterns, 0 where bad."""
    detector_counts: np.ndarray
    """(N, N) sum of the measured photons, 0 where bad."""


def judge(
    scan: Scan,
    canvas: np.ndarray,
    numbers: np.ndarray,
    device: torch.device,
    processes: Processes = ALONE,
) -> Judgement:
    """Hold an object against some patterns of a scan, in batches.

    Of several processes each judges its share, and all return the same: one collective.

    Args:
        scan: In the gauge of the package.
        canvas: (H, W) complex64 object.
        numbers: (J,) which patterns.
        device: Where the work is done.
        processes: Who shares the patterns.
    """
    mask = torch.from_numpy(scan.mask.astype(np.float32)).to(device)
    pixels = float(mask.sum())
    mine = processes.share(np.arange(len(numbers)))
    figures = [np.zeros((3, 0), dtype=np.float32)]
    detector = torch.zeros((2, scan.n, scan.n), dtype=torch.float64, device=device)
    with torch.inference_mode():
        for counts, predicted in _batches(scan, canvas, numbers[mine], device):
            deviance = poisson_deviance(predicted, counts) * mask
            maps = (deviance, expected_deviance(predicted) * mask, counts * mask)
            figures.append(torch.stack([m.sum(dim=(1, 2)) / pixels for m in maps]).cpu().numpy())
            detector += torch.stack([deviance.sum(dim=0), maps[2].sum(dim=0)])
    found = np.zeros((3, len(numbers)))
    found[:, mine] = np.concatenate(figures, axis=1)
    found, maps_of_all = processes.fill_in(found, detector.cpu().numpy())
    return Judgement(numbers, *found.astype(np.float32), *maps_of_all)


def predict_patterns(
    scan: Scan, canvas: np.ndarray, numbers: np.ndarray, device: torch.device
) -> np.ndarray:
    """Return the (J, N, N) float32 photons that an object predicts; arguments as `judge`."""
    with torch.inference_mode():
        made = [p.cpu().numpy() for _, p in _batches(scan, canvas, numbers, device)]
    return np.concatenate(made).astype(np.float32)


def _batches(
    scan: Scan, canvas: np.ndarray, numbers: np.ndarray, device: torch.device
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield measured and predicted counts, (C, N, N) each."""
    image = torch.from_numpy(np.ascontiguousarray(canvas, dtype=np.complex64)).to(device)[None]
    size = automatic_batch_size(scan.n, scan.n_modes, device)
    for part in np.array_split(numbers, max(1, math.ceil(len(numbers) / size))):
        if not len(part):
            return
        batch = _batch(scan, part, device)
        yield batch.counts[0], predict_counts(image, batch)[0]


def _batch(scan: Scan, part: np.ndarray, device: torch.device) -> PatternBatch:
    places = scan.positions_px[part]
    whole = np.floor(places)
    return PatternBatch(
        counts=torch.from_numpy(scan.counts(part))[None],
        corners=torch.from_numpy((whole - scan.n // 2).astype(np.int64))[None],
        fractions=torch.from_numpy((places - whole).astype(np.float32))[None],
        probe=torch.from_numpy(np.ascontiguousarray(scan.probe, dtype=np.complex64)),
        mask=torch.from_numpy(scan.mask.astype(np.float32)),
        canvas_shape=scan.canvas_shape,
    ).on(device)


def pattern_fit(
    scan: Scan,
    canvases: Sequence[np.ndarray],
    judgements: Sequence[Judgement],
    device: torch.device,
    *,
    held_out: bool,
    processes: Processes = ALONE,
) -> PatternFit:
    """Gather what objects say of the patterns that each was held against.

    Of several processes each reads its share of those shown, and all return the same: one
    collective.

    Args:
        scan: In the gauge of the package.
        canvases: (H, W) complex64 objects, one for each judgement.
        judgements: Of disjoint patterns.
        device: Where the work is done.
        held_out: Whether no object was made from the patterns that it was held against.
        processes: Who shares the patterns.
    """
    numbers = np.concatenate([found.numbers for found in judgements])
    judge_of = np.concatenate([np.full(len(j.numbers), i) for i, j in enumerate(judgements)])
    order = np.argsort(numbers)
    deviance, expected = (
        np.concatenate([getattr(found, name) for found in judgements])[order].astype(np.float32)
        for name in ("deviance", "expected")
    )
    chosen = order[_chosen(deviance / np.maximum(expected, 1e-12))]
    shown = numbers[chosen]
    measured, predicted = np.zeros((2, len(shown), scan.n, scan.n), dtype=np.float32)
    for row in processes.share(np.arange(len(shown))):
        canvas, number = canvases[judge_of[chosen[row]]], shown[row : row + 1]
        measured[row] = scan.counts(number)[0]
        predicted[row] = predict_patterns(scan, canvas, number, device)[0]
    measured, predicted = processes.fill_in(measured, predicted)
    return PatternFit(
        numbers=numbers[order],
        deviance=deviance,
        expected=expected,
        held_out=held_out,
        detector_deviance=_mean_map([j.detector_deviance for j in judgements], len(numbers)),
        mean_counts=_mean_map([j.detector_counts for j in judgements], len(numbers)),
        shown=shown,
        measured=measured,
        predicted=predicted,
        bad_pixels=_bad_pixels(scan),
    )


def fit_of(scan: Scan, made: Reconstruction, device: str = "auto") -> PatternFit:
    """Hold a finished image against the patterns that it was made from, at most 192 of them.

    The probe and the positions are those of the reconstruction. An image explains the patterns that
    it was made from better than others, so ``held_out`` of the result is False.

    Args:
        scan: What was measured, in any gauge.
        made: The image, on the canvas of the scan.
        device: auto, cpu, cuda, cuda:1 or mps.
    """
    settled = Scan(
        patterns=scan.patterns,
        positions_px=made.positions_px,
        probe=made.probe,
        mask=scan.mask,
        canvas_shape=(made.object.shape[0], made.object.shape[1]),
        domain=scan.domain,
        name=scan.name,
        bad_pixels=scan.bad_pixels,
    )
    place = resolve_device(device)
    numbers = np.arange(0, scan.n_patterns, max(1, -(-scan.n_patterns // MOST_JUDGED)))
    found = judge(settled, made.object, numbers, place)
    return pattern_fit(settled, [made.object], [found], place, held_out=False)


def _chosen(ratio: np.ndarray) -> np.ndarray:
    """Return places of the best, the median and the worst explained patterns, best first."""
    order = np.argsort(ratio, kind="stable")
    middle = max(0, (len(order) - _KEPT_OF_A_KIND) // 2)
    cuts = (slice(0, _KEPT_OF_A_KIND), slice(middle, middle + _KEPT_OF_A_KIND))
    ranks = np.arange(len(order))
    kept = np.concatenate([*(ranks[cut] for cut in cuts), ranks[-_KEPT_OF_A_KIND:]])
    return order[np.unique(kept)]


def _mean_map(sums: Sequence[np.ndarray], count: int) -> np.ndarray:
    total = np.sum(sums, axis=0) / max(1, count)
    return np.asarray(total, dtype=np.float32)


def _bad_pixels(scan: Scan) -> BadPixels | None:
    if scan.mask.all():
        return None
    return scan.bad_pixels or BadPixels({"marked": ~scan.mask})
