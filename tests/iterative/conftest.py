"""A scan whose probe is out of focus, with an image that was made with it."""

import numpy as np
import pytest

from ptychopinn.config import Config, GeneratorConfig, InferenceConfig, PieConfig
from ptychopinn.inference import reconstruct
from tests.conftest import make_scan
from tests.refinement.test_refine import bent


@pytest.fixture(scope="session")
def true_scan():
    return make_scan(24, side=7, photons=1e6, step=3.0)


@pytest.fixture(scope="session")
def bent_scan(true_scan):
    return bent(true_scan)


@pytest.fixture(scope="session")
def image_of_bent(bent_scan):
    """A reconstruction with the wrong probe."""
    config = Config(
        generator=GeneratorConfig(name="pie", pie=PieConfig(stages=8)),
        inference=InferenceConfig(checks=False, device="cpu", threads=1),
    )
    made = reconstruct(bent_scan, None, config)
    assert np.isfinite(made.object).all()
    return made
