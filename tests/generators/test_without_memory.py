"""Generators are built on the device without memory before a bundle is believed; that is quick."""

import subprocess
import sys

BUILD = """
import sys
import torch
from ptychopinn.config import GeneratorConfig
from ptychopinn.generators import GeneratorSize, build_generator, generator_names
for name in generator_names():
    with torch.device("meta"):
        built = build_generator(GeneratorConfig(name=name), GeneratorSize(64, 4))
    assert all(weights.is_meta for weights in built.parameters()), name
    assert "torch._dynamo" not in sys.modules, f"{name}: torch imported its compiler"
"""


def test_no_compiler_of_torch_is_imported_for_it():
    """It takes a second and a half, more than the reconstruction of a small scan."""
    subprocess.run([sys.executable, "-c", BUILD], check=True, timeout=120)
