"""What a gap costs where the truth is known: the real scan, measured once more by simulation."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ptychopinn.config import Config, DataConfig, GeneratorConfig, InferenceConfig
from ptychopinn.data.normalisation import normalise
from ptychopinn.evaluation import compare
from ptychopinn.inference import reconstruct
from ptychopinn.inference.uncertainty import repeated
from ptychopinn.io import read_scan

REGION = slice(90, 400), slice(90, 390)


def settings(name, stages=None):
    inference = InferenceConfig(checks=False, stages=stages)
    return Config(generator=GeneratorConfig(name=name), inference=inference)


@pytest.mark.heavy
@pytest.mark.parametrize("first_column", [84, 70])
def test_a_gap_takes_little_where_the_model_is_right(real_scan_files, first_column):
    """Object, probe, positions and photons of the real scan; 1 % dead pixels beside the gap."""
    path, reference = real_scan_files
    scan = read_scan(path, DataConfig(probe=str(reference)))
    truth = reconstruct(scan, None, settings("pie", 60)).object
    bad = np.random.default_rng(0).random((scan.n, scan.n)) < 0.01
    bad[:, first_column : first_column + 8] = True
    weight = np.zeros(truth.shape)
    measured = normalise(scan, settings("pie").physics).scan
    with repeated(measured, truth.astype(np.complex64), torch.device("cpu")) as again:
        errors = []
        for seen in (again, replace(again, mask=~bad)):
            result = reconstruct(seen, None, settings("unrolled"))
            weight[REGION] = result.coverage[REGION] > 0.3
            errors.append(compare(result.object, truth, weight).metrics.phase.rmse)
    print(f"columns from {first_column}: {errors[0]:.4f} rad, with the gap {errors[1]:.4f}")  # noqa: T201
    assert errors[1] < 1.1 * errors[0]
    assert errors[1] != errors[0]
