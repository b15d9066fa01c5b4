"""Zero-shot weights on objects and probes that their training never saw, against `pie`.

Usage: python -m benchmarks.unseen

Photographs of scikit-image under a square aperture (KB mirrors) and under a zone plate with strong
aberrations, N = 64 and 128, 1e4 to 1e8 photons: root of the mean squared error of the complex
object, as a share of its amplitude, where it is well lit.
"""

from dataclasses import replace

import numpy as np

from benchmarks.machine import describe_machine
from ptychopinn.config import (
    Config,
    GeneratorConfig,
    InferenceConfig,
    PhysicsConfig,
    PieConfig,
    SimulationConfig,
)
from ptychopinn.data import normalise
from ptychopinn.inference import reconstruct
from ptychopinn.scan import Scan
from ptychopinn.simulation import simulate

PROBES = {
    "square aperture": {"probe": "square", "defocus_rad": 5.0},
    "strong aberrations": {"probe": "zone_plate", "aberration_rad": 3.0, "defocus_rad": 2.0},
}
SIZES = {64: 300, 128: 120}
PHOTONS = (1e4, 1e6, 1e8)
#: A pixel is judged where the light exceeds this share of its maximum.
LIT = 0.2


def methods() -> dict[str, Config]:
    """Return the settings that are compared.

    Five learned sweeps and one that is not cut, as every scan gets, against four times as many; and
    as many as the rule of the default takes, which goes on where patterns are far from explained.
    """

    def pie(stages: int, momentum: float) -> GeneratorConfig:
        return GeneratorConfig(name="pie", pie=PieConfig(stages=stages, momentum=momentum))

    quick = InferenceConfig(checks=False)
    return {
        "unrolled, 6 sweeps": Config(inference=replace(quick, stages=6, long_waves=False)),
        "unrolled, as many as it takes": Config(inference=quick),
        "plain pie, 24": Config(generator=pie(24, 0.0), inference=quick),
        "pie, 6": Config(generator=pie(6, 1.0), inference=quick),
        "pie, 24": Config(generator=pie(24, 1.0), inference=quick),
    }


def error(scan: Scan, config: Config) -> float:
    """Return the relative error of a reconstruction against the truth of the scan."""
    result = reconstruct(scan, None, config)
    truth = scan.truth / normalise(scan, PhysicsConfig()).probe_factor
    weight = (result.coverage > LIT).astype(float)
    turned = result.object * np.exp(-1j * np.angle(np.sum(weight * truth.conj() * result.object)))
    lost = np.sum(weight * np.abs(turned - truth) ** 2) / np.sum(weight * np.abs(truth) ** 2)
    return float(np.sqrt(lost))


def main() -> None:
    """Print one row a scan."""
    print(describe_machine())
    print("| scan | " + " | ".join(methods()) + " |")
    for n, patterns in SIZES.items():
        for kind, probe in PROBES.items():
            for photons in PHOTONS:
                settings = SimulationConfig(
                    object="photo",
                    n=n,
                    patterns=patterns,
                    photons=photons,
                    step_px=6 * n / 64,
                    probe_size=0.42,
                    seed=5,
                    **probe,
                )
                scan = simulate(settings)
                row = [f"{error(scan, config):.4f}" for config in methods().values()]
                print(f"| N = {n}, {kind}, {photons:.0e} | " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
