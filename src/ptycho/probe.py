"""The probe that the next reconstruction uses."""

from typing import Any

import numpy as np

from ptycho import params
from ptychopinn.io.complex_array import as_probe


def set_probe_guess(X_train: Any = None, probe_guess: Any = None) -> np.ndarray:  # noqa: ARG001
    """Keep a probe for the reconstructions that follow.

    Args:
        X_train: Taken for the sake of old calls; the probe does not depend on it.
        probe_guess: (P, N, N), (N, N) or (N, N, 1), complex or real, of any power.

    Returns:
        The probe as (P, N, N) complex64.

    Raises:
        DataError: Another shape, NaN, infinity, or no power.
    """
    probe = as_probe("set_probe_guess", "probe_guess", np.asarray(probe_guess))
    params.set("probe", probe)
    return probe
