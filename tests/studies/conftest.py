"""Studies so small that a cell takes a fraction of a second."""

import json

import pytest

from ptychopinn.studies import StudyOptions, StudySize, build_study, run_study

TINY = StudySize(
    n=32, patterns=144, step_px=5.0, patch_steps=4, patch_batch=8, width=0.1, canvas_steps=2,
    sweeps=3, points=(16, 64), parts=(9, 36),
)  # fmt: skip


def tiny(name, *only, **changes):
    return build_study(name, StudyOptions(size=TINY, only=only, **changes))


@pytest.fixture(scope="session")
def datasets(tmp_path_factory):
    """A cache of scans for all tests."""
    return tmp_path_factory.mktemp("datasets")


@pytest.fixture
def run(tmp_path, datasets):
    """Run a study in a folder, and return the outcome and what became of its cells."""

    def call(study, **options):
        states = []
        outcome = run_study(
            study,
            tmp_path / "study",
            datasets=datasets,
            watch=lambda event: event.state != "running" and states.append(event.state),
            **options,
        )
        return outcome, states

    call.folder = tmp_path / "study"
    call.results = lambda: json.loads((tmp_path / "study" / "results.json").read_text())
    return call
