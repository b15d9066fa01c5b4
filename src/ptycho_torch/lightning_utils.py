"""Which checkpoint of a run counts."""

from pathlib import Path


def find_best_checkpoint(run_dir: str | Path) -> Path | None:
    """Return the best checkpoint of a run, else the last, else any; None where there is none.

    Args:
        run_dir: Folder of a run, with a folder ``checkpoints`` in it.
    """
    folder = Path(run_dir) / "checkpoints"
    for name in ("best-checkpoint.ckpt", "last.ckpt"):
        if (folder / name).is_file():
            return folder / name
    return next(iter(sorted(folder.glob("*.ckpt"))), None)
