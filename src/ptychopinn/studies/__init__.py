"""Side-by-side comparisons of methods on simulated scans, which can be stopped and continued.

    study = build_study("lines", StudyOptions(full=False))
    outcome = run_study(study, "out/lines")

A study is a list of cases (what is simulated), a list of methods (what reconstructs it), and a
figure, which `ptychopinn.report` draws; see `records`. Adding one is adding a file like `dose`, and
a line to `catalogue`. Every method is judged on the same pixels of the lower half of a scan, of
which training saw nothing.
"""

from ptychopinn.studies.catalogue import StudyOptions, build_study, study_names
from ptychopinn.studies.outcome import Cell, Outcome
from ptychopinn.studies.records import Case, Method, Study, StudySize
from ptychopinn.studies.runner import Event, run_study

__all__ = [
    "Case",
    "Cell",
    "Event",
    "Method",
    "Outcome",
    "Study",
    "StudyOptions",
    "StudySize",
    "build_study",
    "run_study",
    "study_names",
]
