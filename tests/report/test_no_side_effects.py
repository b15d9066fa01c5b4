import subprocess
import sys

CODE = """
import sys
import matplotlib
# Reading the backend would choose one, and import pyplot; a copy does not.
before = matplotlib.rcParams.copy()
import ptychopinn.report
import numpy as np
ptychopinn.report.draw_amplitude(np.ones((9, 9), complex), np.ones((9, 9)), sys.argv[1])
print("pyplot" if "matplotlib.pyplot" in sys.modules else "no pyplot")
print("changed" if matplotlib.rcParams.copy() != before else "same settings")
"""


def test_neither_import_nor_drawing_touches_global_state(tmp_path):
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE, str(tmp_path / "picture.png")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.splitlines() == ["no pyplot", "same settings"]
    assert answer.stderr == ""
