"""Sources of pages that several tests look at."""

from ptychopinn.bundle import package_versions
from ptychopinn.config import Config, GeneratorConfig, PieConfig
from ptychopinn.inference import reconstruct
from ptychopinn.report.page import PageSource
from tests.conftest import make_scan, smooth_probe


def result_source() -> PageSource:
    """A small simulated scan, reconstructed with its halves checked."""
    config = Config(generator=GeneratorConfig(name="pie", pie=PieConfig(stages=10)))
    image = reconstruct(make_scan(32, modes=2, photons=1e5), None, config)
    told = {**image.provenance, "command": "ptychopinn reconstruct scan.npz -o out/image"}
    return PageSource("scan.npz", image=image, settings=config.to_dict(), provenance=told)


def training_source() -> PageSource:
    """A training of four epochs."""
    losses = [(0.9, 1.0), (0.7, 0.8), (0.65, 0.78), (0.6, None)]
    history = [
        {"epoch": i + 1, "step": 10 * (i + 1), "train_loss": train, "val_loss": val}
        for i, (train, val) in enumerate(losses)
    ]
    probe = smooth_probe(32, 2)
    told = {"generator": "unrolled", "steps": 40, "seconds": 3.2, "versions": package_versions()}
    return PageSource(
        "scan.npz", probe=probe, start_probe=probe[:1], history=history, provenance=told
    )
