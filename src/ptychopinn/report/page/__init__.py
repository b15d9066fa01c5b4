"""One HTML file that tells everything about a run.

    write_page(folder / "report.html", PageSource("scan.npz", image=reconstruction))

`pictures` and `curves` decide what is shown, `layers` and `charts` turn it into numbers that the
browser draws, `facts`, `figures` and `account` say it in words and tables; `render` puts all into
``page.html`` with its style and scripts.
"""

from ptychopinn.report.page.render import render_page, write_page
from ptychopinn.report.page.source import PageSource

__all__ = ["PageSource", "render_page", "write_page"]
