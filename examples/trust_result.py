"""How far to trust an image, without knowing the truth.

python examples/trust_result.py scan.npz
"""

import argparse

import numpy as np

import ptychopinn
from ptychopinn.config import InferenceConfig

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("scan", help="the scan to reconstruct")
asked = parser.parse_args()

scan = ptychopinn.read_scan(asked.scan)
# Checks reconstruct both halves of the data; the uncertainty reconstructs simulated repeats.
settings = ptychopinn.Config(inference=InferenceConfig(checks=True, uncertainty=True))
result = ptychopinn.reconstruct(scan, config=settings)

deviance = result.quality["held_out_excess_deviance"]
print(f"patterns that were held out: deviance {deviance:.2f} per pixel (1 is photon noise)")
print(f"halves agree up to {result.quality['half_data_frc_crossing']:.3f} cycles per pixel")

inside = (result.coverage > 0.1) & np.isfinite(result.phase_std)
print(f"phase is known to {np.median(result.phase_std[inside]):.3f} rad (median of its pixels)")

trust = result.provenance.get("trust")  # a verdict, with reasons, where the weights allow one
if trust:
    print(f"verdict: {trust['verdict']}; {'; '.join(trust['reasons'])}")
