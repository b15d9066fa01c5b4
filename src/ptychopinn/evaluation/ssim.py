"""Structural similarity of two real images, on one scale and on several, with pixel weights."""

import numpy as np
from scipy import ndimage
from skimage.metrics import structural_similarity

from ptychopinn.axes import require_axes
from ptychopinn.errors import ShapeError
from ptychopinn.evaluation.weighting import weighted_mean

#: Side of the uniform window of `ssim`, scikit-image's default.
UNIFORM_WINDOW_PX = 7
#: Side and sigma of the Gaussian window of `ms_ssim`, those of the publication.
GAUSSIAN_WINDOW_PX = 11
GAUSSIAN_SIGMA_PX = 1.5
#: The published weights of the five scales, finest first; as printed, they sum to 1.0001.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)

_K1, _K2 = 0.01, 0.03


def ssim(image: np.ndarray, reference: np.ndarray, data_range: float, weight: np.ndarray) -> float:
    """Return the structural similarity as scikit-image computes it by default.

        SSIM = mean over windows of
               (2 mx my + C1) (2 sxy + C2) / ((mx^2 + my^2 + C1) (sx^2 + sy^2 + C2)),
        C1 = (0.01 data_range)^2, C2 = (0.03 data_range)^2

    with means, variances and covariance over uniform windows of 7 x 7 pixels (sample covariance,
    windows wholly inside the image). The mean counts only windows that lie wholly where the weight
    is above 0, each with the weight of its middle pixel; where the weight is the same everywhere
    the result is scikit-image's.

    Args:
        image: (H, W) real.
        reference: (H, W) real.
        data_range: What the constants refer to, in the unit of the images.
        weight: (H, W) real, >= 0.

    Returns:
        At most 1, which only equal images reach; NaN where `data_range` is not above 0, or no
        window lies wholly within the weight.

    Raises:
        ShapeError: A side is shorter than the window.

    Source: Wang, Bovik, Sheikh & Simoncelli, IEEE Trans. Image Process. 13, 600 (2004).
    """
    _require_images(image, reference, weight, UNIFORM_WINDOW_PX)
    if not data_range > 0:
        return float("nan")
    pad = UNIFORM_WINDOW_PX // 2
    inner = (slice(pad, -pad), slice(pad, -pad))
    whole = ndimage.minimum_filter(weight > 0, size=UNIFORM_WINDOW_PX)[inner]
    counted = weight[inner] * whole
    if not counted.any():
        return float("nan")
    _, similarity = structural_similarity(
        np.where(weight > 0, image, 0.0),
        np.where(weight > 0, reference, 0.0),
        data_range=data_range,
        full=True,
    )
    return float(weighted_mean(similarity[inner], counted))


def ms_ssim(
    image: np.ndarray, reference: np.ndarray, data_range: float, weight: np.ndarray
) -> float:
    """Return the multi-scale structural similarity.

        MS-SSIM = prod_{j < M} mean(cs_j)^b_j * mean(l_M cs_M)^b_M

        l  = (2 mx my + C1) / (mx^2 + my^2 + C1)        luminance
        cs = (2 sxy + C2) / (sx^2 + sy^2 + C2)          contrast and structure

    with means, variances and covariance over Gaussian windows (11 x 11 pixels, sigma 1.5, wholly
    inside the image), C1 and C2 as in `ssim`, scale j + 1 being scale j averaged over 2 x 2 pixels
    (an odd last row or column is dropped), and b the published weights of five scales. Pixels of
    weight 0 take part in no average, neither in a window nor in a 2 x 2 block.

    Five scales need 176 pixels on the shorter side. A smaller image is compared on the `n_scales`
    scales that fit, with their weights scaled to the sum of all five; such a figure must not be
    compared with one of five scales. A mean cs below 0 (anticorrelated images) counts as 0.

    Args, return value and errors are those of `ssim`, for a window of 11 pixels.

    Source: Wang, Simoncelli & Bovik, Asilomar Conf. Signals, Systems & Computers (2003), 1398.
    """
    _require_images(image, reference, weight, GAUSSIAN_WINDOW_PX)
    if not data_range > 0 or not weight.any():
        return float("nan")
    exponents = np.array(SCALE_WEIGHTS[: n_scales(image.shape)])
    exponents *= sum(SCALE_WEIGHTS) / exponents.sum()
    score = 1.0
    for j, exponent in enumerate(exponents):
        luminance, structure, counted = _similarity(image, reference, data_range, weight)
        if not counted.any():
            return float("nan")
        last = j == len(exponents) - 1
        mean = weighted_mean(luminance * structure if last else structure, counted)
        score *= max(float(mean), 0.0) ** exponent
        image, reference = _halve(image, weight), _halve(reference, weight)
        weight = _mean_of_blocks(weight)
    return float(score)


def n_scales(shape: tuple[int, ...]) -> int:
    """Return on how many scales (0 to 5) `ms_ssim` compares images of this shape (H, W)."""
    sides = (min(shape) // 2**j for j in range(len(SCALE_WEIGHTS)))
    return sum(side >= GAUSSIAN_WINDOW_PX for side in sides)


def _require_images(
    image: np.ndarray, reference: np.ndarray, weight: np.ndarray, smallest: int
) -> None:
    sizes = require_axes("reference", reference, "H W", kind="real")
    require_axes("image", image, "H W", kind="real", **sizes)
    require_axes("weight", weight, "H W", kind="real", **sizes)
    if min(reference.shape) < smallest:
        raise ShapeError(
            f"reference: expected at least {smallest} x {smallest} pixels for the windows of a "
            f"structural similarity, got {reference.shape}; compare a larger region."
        )


def _similarity(
    image: np.ndarray, reference: np.ndarray, data_range: float, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return luminance, contrast-structure and weight of every window inside the image."""
    support = (weight > 0).astype(np.float64)
    share = _windowed(support)

    def local_mean(values: np.ndarray) -> np.ndarray:
        total = _windowed(np.where(support > 0, values, 0.0))
        return np.divide(total, share, out=np.zeros_like(total), where=share > 0)

    mean_x, mean_y = local_mean(image), local_mean(reference)
    spread = local_mean(image**2) - mean_x**2 + local_mean(reference**2) - mean_y**2
    covariance = local_mean(image * reference) - mean_x * mean_y
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (spread + c2)
    pad = GAUSSIAN_WINDOW_PX // 2
    return luminance, structure, weight[pad:-pad, pad:-pad]


def _windowed(values: np.ndarray) -> np.ndarray:
    """Return Gaussian averages of (H, W) values for the windows that lie inside the image."""
    pad = GAUSSIAN_WINDOW_PX // 2
    return ndimage.gaussian_filter(values, GAUSSIAN_SIGMA_PX, radius=pad)[pad:-pad, pad:-pad]


def _mean_of_blocks(values: np.ndarray) -> np.ndarray:
    height, width = (size // 2 for size in values.shape)
    return values[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean(axis=(1, 3))


def _halve(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Average 2 x 2 blocks over the pixels that have a weight; 0 where none has."""
    support = weight > 0
    share = _mean_of_blocks(support.astype(np.float64))
    total = _mean_of_blocks(np.where(support, values, 0.0))
    return np.divide(total, share, out=np.zeros_like(total), where=share > 0)
