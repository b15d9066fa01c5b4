"""Networks that turn diffraction into an object, by name; importing this registers them all."""

from ptychopinn.generators import cnn, unrolled
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
    "generator_names",
    "register",
    "registration",
    "unrolled",
]
