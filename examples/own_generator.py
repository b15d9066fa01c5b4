"""A generator of your own: register a network, train it, reconstruct with it.

python examples/own_generator.py scan.npz
"""

import argparse

import torch
from torch import nn

import ptychopinn
from ptychopinn.config import GeneratorConfig, TrainingConfig
from ptychopinn.generators import PatchGenerator, register
from ptychopinn.physics.lift import back_projection


class Retouch(PatchGenerator):
    """Two convolutions that correct what each pattern says of its own patch."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(2, 16, 3, padding=1), nn.Conv2d(16, 2, 3, padding=1)
        nn.init.zeros_(self.last.weight)  # before training it changes nothing

    def forward(self, view):
        """(B, C, N, N) patterns and probes to (B, C, N, N) complex patches."""
        patches = back_projection(view)
        picture = torch.view_as_real(patches).flatten(0, 1).permute(0, 3, 1, 2)
        change = self.last(torch.relu(self.first(picture)))
        return patches + torch.complex(change[:, 0], change[:, 1]).view_as(patches)


register("retouch", group_size=9, steps=200, any_size=True, summary="two convolutions")(
    lambda config, size: Retouch()
)
parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("scan", help="the scan to learn from")
parser.add_argument("--steps", type=int, default=200, help="optimiser steps")
asked = parser.parse_args()

scan = ptychopinn.read_scan(asked.scan)
training = TrainingConfig(max_steps=asked.steps)
settings = ptychopinn.Config(generator=GeneratorConfig(name="retouch"), training=training)
bundle = ptychopinn.train(scan, settings, "out/own-generator")
result = ptychopinn.reconstruct(scan, bundle)
print(f"loss {bundle.history[-1]['train_loss']:.3f}; object of {result.object.shape} pixels")
