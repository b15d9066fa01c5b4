"""Pictures of the probe on a page: amplitude as brightness, phase as hue."""

import numpy as np

from ptychopinn.data.descriptors import light_diameter_px
from ptychopinn.report.page.layers import Contrast, Frame, Layer
from ptychopinn.report.probe import power_shares, share_in_words
from ptychopinn.report.view import View

_MOST_PX = 192
#: Weaker modes hold next to no light.
_MOST_MODES = 8


def probe_layers(probe: np.ndarray, when: str, pixel_m: float | None) -> list[tuple[Layer, str]]:
    """Return the strongest modes, each with a sentence: amplitude as brightness, phase as hue."""
    shares = power_shares(probe)
    drawn = np.sort(np.argsort(-shares, kind="stable")[:_MOST_MODES])
    view = View.of(np.ones(probe.shape[1:], dtype=np.float32), _MOST_PX)
    frame = Frame.of(view, pixel_m)
    return [
        (
            _mode(probe[mode], f"{when}-{mode + 1}", view, frame),
            f"Mode {mode + 1}: {share_in_words(shares[mode])} of the light",
        )
        for mode in drawn
    ]


def _mode(wave: np.ndarray, name: str, view: View, frame: Frame) -> Layer:
    mean = view.mean(wave)
    modulus = np.abs(mean)
    high = max(float(np.nanpercentile(modulus, 99.9)), 1e-6)
    return Layer(
        name=f"probe-{name}",
        values=modulus,
        frame=frame,
        contrast=Contrast(0.0, high, "grey"),
        label="amplitude",
        unit="√photons",
        alt=f"Probe mode {name.rpartition('-')[2]}: brightness is amplitude, hue is phase",
        angle=np.angle(mean),
        link="probe",
    )


def probe_diameter_px(probe: np.ndarray) -> float:
    """Return the diameter of the circle that holds 90 % of the light of a probe."""
    return light_diameter_px((np.abs(probe.astype(np.complex128)) ** 2).sum(axis=0))
