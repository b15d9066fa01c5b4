"""The model that was trained last in this process, written as a bundle."""

from pathlib import Path

from ptycho import params
from ptychopinn.bundle import BUNDLE_NAME, save_bundle
from ptychopinn.cli.folder import write_history
from ptychopinn.errors import TrainingError
from ptychopinn.io import replacing


def save(output_path: str | Path) -> Path:
    """Write the last trained model as ``wts.h5.zip`` and its losses as ``history.csv``.

    Returns:
        The place of the bundle.

    Raises:
        TrainingError: Nothing was trained in this process.
        OutputError: The folder cannot be written to.
    """
    bundle = params.cfg.get("bundle")
    if bundle is None:
        raise TrainingError(
            f"{output_path}: no model was trained in this process; call "
            "ptycho.workflows.components.run_cdi_example first."
        )
    folder = Path(output_path)
    place = save_bundle(folder / BUNDLE_NAME, bundle)
    with replacing(folder / "history.csv") as beside:
        write_history(Path(beside), bundle.history)
    return place
