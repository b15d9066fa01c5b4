"""The twin: the same patterns from the conjugate of everything, half a turn away."""

import numpy as np

from ptychopinn.preflight.momentum import momenta_of
from ptychopinn.symmetry import ORIENTATIONS, Turn

#: Probes that are their own conjugate to this share do not decide between twins. Simulated
#: Gaussian spots: 0.97 (0.3 rad of defocus at the rim) drew, 0.996 (0.1 rad) chose the wrong one,
#: 0.76 (1 rad) the right one by 13 standard errors.
UNDECIDED = 0.85


def twin_of(turn: Turn) -> Turn:
    """Return the orientation that explains the same patterns with the conjugate object and probe.

    |F[P* O*](q)|^2 = |F[P O](-q)|^2, so patterns turned by half a turn, at the same positions,
    are those of the conjugates: which of both is true, only what is known of the probe can tell.
    """
    return ORIENTATIONS["rot180"].after(turn)


def self_conjugate_share(probe: np.ndarray) -> float:
    """Return how nearly the strongest mode of a probe is its own complex conjugate.

        max over shifts s of | sum_r P(r) P(r + s) | / sum |P|^2

    1 in focus, under any phase ramp; small where the probe has much phase of its own.

    Args:
        probe: (P, N, N) complex.
    """
    mode = probe[np.argmax((np.abs(probe) ** 2).sum(axis=(1, 2)))].astype(np.complex128)
    n = mode.shape[-1]
    far = np.fft.fftshift(np.fft.fft2(mode))
    centre = momenta_of((np.abs(far) ** 2)[None])[0]
    rows, columns = (np.exp(-2j * np.pi * q * np.arange(n) / n) for q in centre)
    flat = np.fft.fft2(mode * np.outer(rows, columns))
    same = np.fft.fft2(np.fft.ifft2(flat).conj())
    shared = np.abs(np.fft.ifft2(flat.conj() * same)).max()
    return float(shared / (np.abs(mode) ** 2).sum())
