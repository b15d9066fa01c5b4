from ptycho_torch.lightning_utils import find_best_checkpoint


def test_the_best_comes_before_the_last_and_the_last_before_any(tmp_path):
    assert find_best_checkpoint(tmp_path / "missing") is None
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    assert find_best_checkpoint(tmp_path) is None
    for name in ("epoch.ckpt", "last.ckpt", "best-checkpoint.ckpt"):
        (folder / name).touch()
        assert find_best_checkpoint(tmp_path) == folder / name
