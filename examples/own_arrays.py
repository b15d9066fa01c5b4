"""Your own data as arrays: no file format is needed, only a `Scan`.

python examples/own_arrays.py scan.npz
"""

import argparse

import numpy as np

import ptychopinn

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("arrays", help=".npz with diff3d, xcoords, ycoords and probeGuess")
parser.add_argument("--output", default="out/own-arrays.h5", help="file for the result")
asked = parser.parse_args()

with np.load(asked.arrays) as file:  # stands for wherever your arrays come from
    counts = file["diff3d"]  # (K, N, N) photons, zero frequency in the middle
    positions_px = np.stack([file["ycoords"], file["xcoords"]], axis=1)  # (K, 2), (y, x)
    probe = file["probeGuess"].astype(np.complex64)  # (P, N, N), any power

n = counts.shape[-1]
# Positions are pixels of the canvas and say where the window's pixel (N // 2, N // 2) lies.
positions_px = positions_px - positions_px.min(axis=0) + n // 2
height, width = np.ceil(positions_px.max(axis=0)).astype(int) + n // 2 + 1

scan = ptychopinn.Scan(
    patterns=counts,
    positions_px=positions_px,
    probe=probe[None] if probe.ndim == 2 else probe,
    mask=np.ones((n, n), dtype=bool),  # True = good detector pixel
    canvas_shape=(int(height), int(width)),
)
result = ptychopinn.reconstruct(scan)
ptychopinn.write_product(asked.output, result)
print(f"object of {result.object.shape} pixels in {asked.output}")
