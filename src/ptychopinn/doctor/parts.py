"""The packages that this one needs, and those that it can use."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from ptychopinn.doctor.records import FoundPart


@dataclass(frozen=True)
class Part:
    """A package that may be there."""

    name: str
    """What it is called in the table: its distribution."""
    module: str
    """What is imported."""
    purpose: str
    """What it is good for."""
    command: str
    """The command that adds it."""


def _needed(name: str, module: str, purpose: str) -> Part:
    return Part(name, module, purpose, f"pip install {name}")


#: Without these nothing runs.
REQUIRED = (
    _needed("ptychopinn", "ptychopinn", "this package"),
    _needed("torch", "torch", "tensors, FFT, gradients"),
    _needed("lightning", "lightning", "training"),
    _needed("numpy", "numpy", "arrays"),
    _needed("numba", "numba", "compiled sweeps on a processor"),
    _needed("scipy", "scipy", "neighbours, shifts"),
    _needed("h5py", "h5py", "HDF5 files"),
    _needed("hdf5plugin", "hdf5plugin", "compressed detector files"),
    _needed("safetensors", "safetensors", "bundles"),
    _needed("scikit-image", "skimage", "registration, SSIM"),
    _needed("matplotlib", "matplotlib", "pictures"),
    _needed("jinja2", "jinja2", "report.html"),
    _needed("jsonargparse", "jsonargparse", "the command line"),
    _needed("rich", "rich", "tables in the terminal"),
    _needed("pyyaml", "yaml", "files of settings"),
)
#: What can be added.
OPTIONAL = (
    Part(
        "neuraloperator",
        "neuralop",
        "generator uno; its spectral layers in fno, hybrid",
        "pip install 'ptychopinn[fno]'",
    ),
    Part("tensorboard", "tensorboard", "--logger tensorboard", "pip install tensorboard"),
    Part("mlflow-skinny", "mlflow", "--logger mlflow", "pip install mlflow-skinny"),
    Part(
        "ptychi", "ptychi", "refine --engine lsqml and others", "pip install 'ptychopinn[ptychi]'"
    ),
    Part("ptychodus", "ptychodus", "this package inside Ptychodus", "pip install ptychodus==1.7.0"),
    Part("mkdocs-material", "material", "make docs", "pip install 'ptychopinn[docs]'"),
)


def find_parts(parts: tuple[Part, ...]) -> list[FoundPart]:
    """Look for packages without importing them."""
    return [FoundPart(part.name, _version(part), part.purpose, part.command) for part in parts]


def _version(part: Part) -> str | None:
    if find_spec(part.module) is None:
        return None
    try:
        return version(part.name)
    except PackageNotFoundError:
        return "of unknown version"
