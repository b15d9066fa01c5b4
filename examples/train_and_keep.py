"""Train on a scan without any truth, keep the model, and use it again.

python examples/train_and_keep.py scan.npz
"""

import argparse

import ptychopinn
from ptychopinn.config import TrainingConfig

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("scan", help="the scan to learn from")
parser.add_argument("--output", default="out/trained", help="folder for the bundle")
parser.add_argument("--steps", type=int, default=60, help="optimiser steps")
asked = parser.parse_args()

scan = ptychopinn.read_scan(asked.scan)
# The weights in the box are a better start than none; this scan only sets their pace.
settings = ptychopinn.Config(training=TrainingConfig(max_steps=asked.steps, init="pretrained"))
bundle = ptychopinn.train(scan, settings, asked.output)
place = ptychopinn.save_bundle(f"{asked.output}/wts.h5.zip", bundle)

# Tomorrow, in another process, for another scan of the same instrument:
bundle = ptychopinn.load_bundle(place)
result = ptychopinn.reconstruct(scan, bundle)
ptychopinn.write_product(f"{asked.output}/reconstruction.h5", result)
print(f"{bundle.statistics['steps']} steps in {bundle.statistics['seconds']:.1f} s; {place}")
