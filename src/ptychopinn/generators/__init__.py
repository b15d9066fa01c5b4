"""Networks that turn diffraction into an object, by name; importing this registers them all."""

from ptychopinn.generators import cnn, ffno, fno, hybrid, uno, unrolled
from ptychopinn.generators.registry import (
    CanvasGenerator,
    Generator,
    GeneratorSize,
    PatchGenerator,
    build_generator,
    generator_names,
    register,
    registration,
)

__all__ = [
    "CanvasGenerator",
    "Generator",
    "GeneratorSize",
    "PatchGenerator",
    "build_generator",
    "cnn",
    "ffno",
    "fno",
    "generator_names",
    "hybrid",
    "register",
    "registration",
    "uno",
    "unrolled",
]
