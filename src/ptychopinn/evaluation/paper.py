"""The definitions behind the tables of the PtychoPINN publications, for comparison with those only.

They differ from `metrics`: the peak of the PSNR is 255 whatever the images hold, so that its
figures lie 48.13 dB above those for a peak of 1; the phase's SSIM refers to a range of 2 pi, so
that a weak phase object scores high even when it is missed; and amplitude and phase each lose a
scale or a plane of their own first. Figures of the two kinds are never compared with one another.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ptychopinn.axes import require_axes
from ptychopinn.evaluation.metrics import psnr_db
from ptychopinn.evaluation.phase import comparable_phases
from ptychopinn.evaluation.record import to_plain
from ptychopinn.evaluation.ssim import ssim
from ptychopinn.evaluation.weighting import as_weight, require_finite, weighted_mean

#: The peak of every PSNR in the publications, that of 8-bit images.
PAPER_PEAK = 255.0


@dataclass(frozen=True)
class PaperScores:
    """Published figures for one real image, amplitude (no unit) or phase (radians)."""

    mae: float
    """Mean of |difference|."""
    mse: float
    """Mean of difference^2."""
    psnr_db: float
    """10 log10(255^2 / mse)."""
    ssim: float
    """scikit-image's default SSIM (uniform 7 x 7 windows); its range is told by the function."""


@dataclass(frozen=True)
class PaperMetrics:
    """Figures to hold against published tables, and against nothing else."""

    amplitude: PaperScores
    """Of the moduli, after scaling the image's by the ratio of means."""
    phase: PaperScores
    """Of the phases, after removing from each its own plane."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; NaN and infinity become None."""
        return to_plain(self)


def paper_metrics(
    image: np.ndarray, reference: np.ndarray, weight: np.ndarray | None = None
) -> PaperMetrics:
    """Compare two registered complex images as the PtychoPINN publications do.

        amplitude  a' = a * mean(a_ref) / mean(a); SSIM with data_range = max - min of a_ref
        phase      phi' = phi - plane(phi), for image and reference alike, the plane being the
                   least-squares fit of c + g . r; SSIM of (phi' + pi) / (2 pi), data_range 1
        PSNR       10 log10(255^2 / mse), of a' as it is and of phi' in radians

    Differing from the publications' own scripts: the image is registered and free of a phase ramp
    when `compare` calls this; phases are those of `comparable_phases`, the same wherever nothing
    wraps; and a weight may leave pixels out.

    Args:
        image: (H, W) complex.
        reference: (H, W) complex.
        weight: (H, W) real >= 0; None, as in the publications, counts all pixels the same.

    Raises:
        ShapeError: The arrays differ in size, an image is not complex, or a side is shorter than
            the 7 pixels of a window.
        DataError: NaN or infinity where the weight is not 0.

    Source: PtychoPINN, arXiv:2602.21361, and the scripts published with it.
    Tested: tests/evaluation/test_paper.py.
    """
    sizes = require_axes("reference", reference, "H W", kind="complex")
    require_axes("image", image, "H W", kind="complex", **sizes)
    weight = as_weight(weight, (sizes["H"], sizes["W"]))
    image = require_finite("image", image, weight).astype(np.complex128)
    reference = require_finite("reference", reference, weight).astype(np.complex128)
    return PaperMetrics(
        amplitude=_score_amplitude(np.abs(image), np.abs(reference), weight),
        phase=_score_phase(*_centred_phases(image, reference, weight), weight),
    )


def remove_plane(phase: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return (H, W) values without their weighted least-squares plane c + g . r."""
    y, x = np.indices(phase.shape)
    columns = np.stack([np.ones(phase.size), y.ravel(), x.ravel()], axis=1)
    root = np.sqrt(weight.ravel())
    fit, *_ = np.linalg.lstsq(columns * root[:, None], phase.ravel() * root, rcond=None)
    return phase - (columns @ fit).reshape(phase.shape)


def _centred_phases(
    image: np.ndarray, reference: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Remove the global phase, so that a difference near pi does not wrap, and take the phases."""
    turn = np.angle(np.sum(weight * np.conj(reference) * image))
    return comparable_phases(image * np.exp(-1j * turn), reference, weight)


def _score_amplitude(image: np.ndarray, reference: np.ndarray, weight: np.ndarray) -> PaperScores:
    mean = weighted_mean(image, weight)
    scaled = image * (weighted_mean(reference, weight) / mean) if mean > 0 else image
    counted = reference[weight > 0]
    data_range = float(counted.max() - counted.min())
    return _score(scaled, reference, weight, ssim(scaled, reference, data_range, weight))


def _score_phase(image: np.ndarray, reference: np.ndarray, weight: np.ndarray) -> PaperScores:
    image, reference = remove_plane(image, weight), remove_plane(reference, weight)
    mapped = [(phase + np.pi) / (2 * np.pi) for phase in (image, reference)]
    return _score(image, reference, weight, ssim(mapped[0], mapped[1], 1.0, weight))


def _score(
    image: np.ndarray, reference: np.ndarray, weight: np.ndarray, similarity: float
) -> PaperScores:
    difference = image - reference
    mse = float(weighted_mean(difference**2, weight))
    mae = float(weighted_mean(np.abs(difference), weight))
    return PaperScores(mae=mae, mse=mse, psnr_db=psnr_db(mse, PAPER_PEAK), ssim=similarity)
