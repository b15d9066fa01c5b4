"""``python -m ptychopinn`` is the command ``ptychopinn``."""

from ptychopinn.cli.main import run_main

run_main()
