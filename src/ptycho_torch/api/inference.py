"""A trained model over a whole scan."""

from dataclasses import replace
from typing import Any

import numpy as np

from ptycho_torch.api.config_manager import ConfigManager
from ptycho_torch.api.data import ScanArrays
from ptycho_torch.bundles import bundle_of
from ptychopinn.errors import BundleError
from ptychopinn.inference import reconstruct


class InferenceEngine:
    """Reconstructs scans with a model.

    Args:
        config_manager: Its settings.
        ptycho_model: The model, trained.

    Raises:
        BundleError: It was never trained.
    """

    def __init__(self, config_manager: ConfigManager, ptycho_model: Any) -> None:
        if ptycho_model.model is None or ptycho_model.model.carried is None:
            raise BundleError("model: found one that was not trained; train it or load another.")
        self.config_manager = config_manager
        self.module = ptycho_model.model

    def predict_and_stitch(self, loader: ScanArrays) -> np.ndarray:
        """Reconstruct a scan from all of its patterns.

        Returns:
            (H, W) complex64 object that the positions index, of ``round(2 * mid + 1)`` pixels about
            the middle of the scan; 0 where no light fell.

        Raises:
            DataError: The scan cannot be used.
        """
        known = self.module.carried
        placed = loader.placed(known.domain)
        scan = placed.scan
        if known.mask.shape == scan.mask.shape:
            scan = replace(scan, mask=scan.mask & known.mask)
        bundle = bundle_of(self.module)
        result = reconstruct(scan, bundle, bundle.config)
        return np.ascontiguousarray(placed.cut(result.object), dtype=np.complex64)
