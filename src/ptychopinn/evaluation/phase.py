"""The phases of two complex images as real images that can be compared despite wrapping."""

import numpy as np

from ptychopinn.evaluation.weighting import weighted_mean


def comparable_phases(
    image: np.ndarray, reference: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the phases of an image and of its reference, without wraps between the two.

        phi_ref   = arg( reference * conj(m) ),   m = sum(weight * reference / |reference|)
        phi_image = phi_ref + arg( image * conj(reference) )

    Turning the reference by its circular mean moves its wraps, if it has any, to phases that occur
    least; adding the wrapped difference keeps an image from jumping by 2 pi where its reference
    does not. A reference that spans more than 2 pi still wraps, but then both do, at the same
    places. The difference of the two is always within [-pi, pi].

    Args:
        image: (H, W) complex, its global phase removed.
        reference: (H, W) complex.
        weight: (H, W) real, >= 0.

    Returns:
        Two (H, W) float64 arrays in radians: image, reference.
    """
    unit = np.exp(1j * np.angle(reference))
    centred = np.angle(unit * np.exp(-1j * np.angle(weighted_mean(unit, weight))))
    return centred + np.angle(image * np.conj(reference)), centred
