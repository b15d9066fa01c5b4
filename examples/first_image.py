"""The first image of a scan: no training, the weights come with the package.

python examples/first_image.py scan.npz
"""

import argparse

import numpy as np

import ptychopinn
from ptychopinn.report import write_pictures

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("scan", help="file of any format that `ptychopinn inspect` knows")
parser.add_argument("--output", default="out/first-image", help="folder for file and pictures")
asked = parser.parse_args()

scan = ptychopinn.read_scan(asked.scan)
for sentence in scan.decisions:  # what the file left open, and how it was read
    print(sentence)

result = ptychopinn.reconstruct(scan)
ptychopinn.write_product(f"{asked.output}/reconstruction.h5", result)  # Ptychodus opens it
write_pictures(result, [], asked.output)

lit = result.coverage > 0.1
print(f"phase from {np.angle(result.object[lit]).min():.2f} to", end=" ")
print(f"{np.angle(result.object[lit]).max():.2f} rad; pictures in {asked.output}")
