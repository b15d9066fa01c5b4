"""A trained model under the call of the original: amplitudes in, complex patches out."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ptycho import params
from ptycho.loader import GroupedPatterns
from ptycho.window_frame import cut_windows
from ptychopinn.bundle import Bundle
from ptychopinn.config import InferenceConfig
from ptychopinn.errors import BundleError, ConfigError
from ptychopinn.generators import registration
from ptychopinn.inference import reconstruct
from ptychopinn.scan import Scan


@dataclass(frozen=True)
class DiffractionToObject:
    """A bundle that answers as the models of the original do."""

    bundle: Bundle
    """What was trained."""

    def predict(self, inputs: Any) -> np.ndarray:
        """Reconstruct the scan that groups belong to, and return the patch of each group.

        The probe is that of `ptycho.probe.set_probe_guess`, or else that of the scan. Patches are
        windows of one image of the whole scan, so that they agree where they overlap.

        Args:
            inputs: (B, N, N, C) amplitudes in sqrt(photons), the X of a container times
                ``intensity_scale``; and (B, 1, 2, C) local offsets, which X knows already.

        Returns:
            (B, N, N, 1) complex64, each centred on the group's position; 0 where no light fell.

        Raises:
            ConfigError: X does not come from `ptycho.loader.load`, or not all of it is here.
            BundleError: The model was trained for another N or gridsize.
        """
        amplitude = inputs[0]
        _require_groups(amplitude)
        _require_fit(self.bundle, amplitude.shape)
        scan = _scan_of(amplitude)
        settings = replace(self.bundle.config, inference=InferenceConfig(checks=False))
        image = reconstruct(scan, self.bundle, settings).object
        return cut_windows(image, amplitude.positions_px, scan.n)[..., None]


def _require_groups(amplitude: Any) -> None:
    known = isinstance(amplitude, GroupedPatterns) and amplitude.members is not None
    if not known or len(amplitude.members) != len(amplitude):
        raise ConfigError(
            f"predict: found {type(amplitude).__name__} of shape {np.shape(amplitude)}, wanted the "
            "whole X of a container, times intensity_scale; make it with ptycho.loader.load."
        )


def _require_fit(bundle: Bundle, shape: tuple[int, ...]) -> None:
    if registration(bundle.config.generator.name).any_size:
        return
    trained, asked = (bundle.size.n, bundle.size.group_size), (shape[1], shape[3])
    if trained != asked:
        raise BundleError(
            f"predict: the data have N = {asked[0]} and gridsize {asked[1] ** 0.5:g}, the model "
            f"was trained with N = {trained[0]} and gridsize {trained[1] ** 0.5:g}; set both to "
            "those of the model, or train again."
        )


def _scan_of(amplitude: GroupedPatterns) -> Scan:
    """Return the scan of the patterns that are in any group, with the counts that X holds."""
    assert amplitude.scan is not None  # `_require_groups` saw to it
    assert amplitude.members is not None
    numbers, first = np.unique(amplitude.members, return_index=True)
    row, channel = np.divmod(first, amplitude.members.shape[1])
    counts = np.asarray(amplitude)[row, :, :, channel] ** 2
    scan = replace(amplitude.scan.select(numbers), patterns=counts, domain="counts")
    probe = params.cfg.get("probe")
    return scan if probe is None or probe.shape[-1] != scan.n else replace(scan, probe=probe)
