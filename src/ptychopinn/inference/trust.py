"""One line at the end: use the image, fine-tune, or look at what the scan was described by."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from ptychopinn.data import DescriptorRanges, ScanDescriptors

Verdict = Literal[
    "use it", "fine-tune for a minute", "check the probe or the positions", "not checked"
]

#: Misfit, beyond what photon noise makes, of images that are no longer like the truth. Simulated
#: scans: 0.02 to 0.1 with everything right, 0.06 to 0.12 with positions off by 0.5 px, 0.2 with
#: positions off by 2 px or a probe 10 % out of focus, 0.25 with swapped axes, 0.5 at 30 %.
WRONG_MISFIT = 0.17
#: No weights are so unfit for a scan that physics afterwards leaves more than this.
HOPELESS_MISFIT = 0.3
#: Misfit of an image that can be had better.
POOR_MISFIT = 0.14
#: The same for a scan unlike those that the weights were trained on.
POOR_MISFIT_OUTSIDE = 0.08
#: Photon noise in the prediction, relative to its amplitude, that drowns every other misfit.
STARVED = 0.2
#: Agreement of the halves in cycles per pixel below which there is hardly an image.
BLURRED = 0.05
#: Widths of the trained range by which a scan may lie outside before it is said.
OUTSIDE = 0.1
#: The same before it decides: the real scan, whose probe is 0.3 widths wider than any that was
#: trained on, is reconstructed to 0.028 rad.
UNUSUAL = 0.5

_NAMES = {
    "n": "pattern size",
    "modes": "number of probe modes",
    "photons_per_pattern": "photons per pattern",
    "probe_diameter": "probe diameter",
    "far_field_diameter": "far-field diameter",
    "overlap": "overlap",
    "patterns_per_probe_area": "patterns per probe area",
    "masked_fraction": "share of bad pixels",
}


@dataclass(frozen=True)
class Trust:
    """How far an image can be trusted, and what to do."""

    score: float | None
    """0 (not at all) to 1; 1/2 where the misfit is that of wrong images; None = not checked."""
    verdict: Verdict
    """What to do next."""
    reasons: tuple[str, ...]
    """Why, most important first; of what was not checked, why not and how to get a verdict."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"score": self.score, "verdict": self.verdict, "reasons": list(self.reasons)}


def not_checked(why: str, remedy: str) -> Trust:
    """Return what is said of an image that no held-out pattern judged.

    Args:
        why: Why there is no verdict.
        remedy: How to get one.
    """
    return Trust(None, "not checked", (why, remedy))


def assess(
    quality: dict[str, float],
    descriptors: ScanDescriptors,
    ranges: DescriptorRanges | None = None,
) -> Trust:
    """Weigh what two halves of the data say, and how usual the scan is.

    The misfit m = sqrt(R^2 - R_0^2) decides: R is the relative amplitude error on held-out
    patterns beyond photon noise, R_0 the part that the noise of the image itself makes. Unlike a
    deviance, it does not grow with the dose. It sees a wrong probe or wrong positions, which
    leave patterns unexplained, even where both halves agree on the same wrong image.

    Args:
        quality: Figures of `check_halves`.
        descriptors: Of the scan.
        ranges: Of the scans that the weights were trained on; None = nothing was trained.

    Cannot see errors that explain all patterns, such as a probe and an object that are wrong
    together. Thresholds: docs/trust.md. Tested: tests/inference/test_trust.py.
    """
    noise = quality.get("held_out_photon_misfit", 0.0)
    misfit = math.sqrt(max(0.0, quality["held_out_misfit"] ** 2 - noise**2))
    frc = quality.get("half_data_frc_crossing")
    outside = _outside(descriptors, ranges)
    resolved = 1.0 if frc is None else min(1.0, frc / (2 * BLURRED))
    usual = 1 / (1 + 0.5 * max(outside.values(), default=0.0))
    clear = min(1.0, STARVED / max(noise, 1e-12))
    score = usual * clear * resolved / (1 + (misfit / WRONG_MISFIT) ** 3)
    unusual = max(outside.values(), default=0.0) > UNUSUAL
    verdict = _verdict(misfit, noise, frc, unusual=unusual)
    return Trust(score, verdict, _reasons(misfit, noise, frc, outside))


def _outside(descriptors: ScanDescriptors, ranges: DescriptorRanges | None) -> dict[str, float]:
    """Return the descriptors that lie outside the trained ranges, farthest first."""
    if ranges is None:
        return {}
    distances = ranges.outside(descriptors).items()
    far = [(name, distance) for name, distance in distances if distance > OUTSIDE]
    return dict(sorted(far, key=lambda item: -item[1]))


def _verdict(misfit: float, noise: float, frc: float | None, *, unusual: bool) -> Verdict:
    starved = noise > STARVED
    most = HOPELESS_MISFIT if unusual else WRONG_MISFIT
    if misfit > most and not starved:
        return "check the probe or the positions"
    poor = misfit > (POOR_MISFIT_OUTSIDE if unusual else POOR_MISFIT)
    blurred = frc is not None and frc < BLURRED
    return "fine-tune for a minute" if poor or starved or blurred else "use it"


def _reasons(
    misfit: float, noise: float, frc: float | None, outside: dict[str, float]
) -> tuple[str, ...]:
    said = [f"held-out amplitudes are off by {misfit:.1%} beyond photon noise"]
    if noise > STARVED:
        said.insert(0, f"so few photons that noise alone makes {noise:.0%}")
    if frc is not None:
        said.append(f"the halves agree up to {frc:.2f} cycles/pixel")
    said += [
        f"{_NAMES[name]} lies {distance:.1f} widths outside what the weights were trained on"
        for name, distance in outside.items()
    ]
    return tuple(said)
