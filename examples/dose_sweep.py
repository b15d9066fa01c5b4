"""How many photons are enough: simulate, reconstruct, compare with the truth.

python examples/dose_sweep.py
"""

import argparse

import ptychopinn

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--photons", type=float, nargs="+", default=[1e3, 1e4, 1e5, 1e6, 1e7])
parser.add_argument("--patterns", type=int, default=400, help="patterns of a scan")
parser.add_argument("--n", type=int, default=64, help="side of a pattern in pixels")
asked = parser.parse_args()

print("photons per pattern   phase error (rad)   resolution (px, half period)")
for photons in asked.photons:
    settings = ptychopinn.SimulationConfig(
        object="dead_leaves", photons=photons, patterns=asked.patterns, n=asked.n
    )
    scan = ptychopinn.simulate(settings)
    result = ptychopinn.reconstruct(scan)
    # The rim, which few patterns see, does not count.
    found = ptychopinn.compare(result.object, scan.truth, weight=1.0 * (result.coverage > 0.1))
    frequency = found.crossings["half"].cycles_per_px
    resolution = 0.5 / frequency if frequency > 0 else float("inf")
    print(f"{photons:19.0e} {found.metrics.phase.rmse:19.3f} {resolution:30.2f}")
