import errno
import os
import stat

import pytest

from ptychopinn.errors import DataError, OutputError
from ptychopinn.io import atomic
from ptychopinn.io.atomic import made_folder, replacing, require_folder_place, staged_folder
from tests.io.files import one_sentence
from tests.small_disk import files_on, small_disk


def everything_below(folder):
    return sorted(str(item.relative_to(folder)) for item in folder.rglob("*"))


def fail_within(context, failure):
    """Write half a result into the temporary place, then fail."""
    with context as beside:
        (beside / "a.txt" if beside.is_dir() else beside).write_text("half")
        raise failure


def write_two(folder):
    with staged_folder(folder) as stage:
        (stage / "a.txt").write_text("a")
        (stage / "b.txt").write_text("b")


def test_a_file_appears_when_the_block_succeeds(tmp_path):
    target = tmp_path / "new" / "deep" / "a.txt"
    with replacing(target) as beside:
        assert beside.parent == target.parent
        assert beside.suffix == ".txt"
        beside.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert everything_below(tmp_path) == ["new", "new/deep", "new/deep/a.txt"]


def test_the_file_has_the_usual_rights(tmp_path):
    (tmp_path / "plain").write_text("")
    with replacing(tmp_path / "a") as beside:
        beside.write_text("whole")
    rights = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "a")]
    assert rights[0] == rights[1]


def test_the_data_are_flushed_before_the_file_is_moved(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *a, name=name, real=real: (calls.append(name), real(*a))
        )
    with replacing(tmp_path / "a") as beside:
        beside.write_text("whole")
    assert calls == ["fsync", "replace", "fsync"]


@pytest.mark.parametrize("failure", [ValueError("mine"), DataError("mine"), KeyboardInterrupt()])
def test_a_failed_block_leaves_what_was_there(tmp_path, failure):
    target = tmp_path / "a.txt"
    target.write_text("old")

    for path in (target, tmp_path / "new" / "b.txt"):
        with pytest.raises(type(failure)) as raised:
            fail_within(replacing(path), failure)
        assert raised.value is failure
    assert target.read_text() == "old"
    assert everything_below(tmp_path) == ["a.txt"]


def test_links_stay_links(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with replacing(tmp_path / "link") as beside:
        beside.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_with_the_free_space(tmp_path, monkeypatch, code):
    target = tmp_path / "new" / "a.txt"
    usage = type("Usage", (), {"free": 3 * 2**20})
    monkeypatch.setattr(atomic.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OutputError) as error:
        fail_within(replacing(target), OSError(code, "whatever a library says"))
    assert one_sentence(str(error.value), target, os.strerror(code), "3.0 MiB free", "make room")
    assert everything_below(tmp_path) == []


def test_a_disk_that_fills_up_while_flushing_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError), replacing(target) as beside:
        beside.write_text("new")
    assert target.read_text() == "old"
    assert everything_below(tmp_path) == ["a.txt"]


def never_entered(context):
    with context:
        pytest.fail("the block was entered")


def test_places_that_are_taken_are_refused_before_any_work(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    for context, path, taken, found in (
        (replacing, "folder", "folder", "a folder"),
        (staged_folder, "file", "file", "a file"),
        (replacing, "file/a", "file", "a file"),
        (staged_folder, "file/a/b", "file", "a file"),
    ):
        with pytest.raises(OutputError) as error:
            never_entered(context(tmp_path / path))
        assert one_sentence(str(error.value), tmp_path / taken, found, "choose another place")
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.parametrize("context", [replacing, staged_folder])
def test_missing_rights_are_refused_before_any_work(tmp_path, monkeypatch, context):
    def forbidden(*_, **__):
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(atomic.Path, "touch", forbidden)
    monkeypatch.setattr(atomic.Path, "mkdir", forbidden)
    with pytest.raises(OutputError) as error:
        never_entered(context(tmp_path / "a"))
    assert one_sentence(str(error.value), tmp_path / "a", "Permission denied", "rights")


def test_a_folder_appears_when_the_block_succeeds(tmp_path):
    target = tmp_path / "new" / "run"
    with staged_folder(target) as stage:
        assert stage.parent == target.parent
        (stage / "a.txt").write_text("a")
        (stage / "pictures").mkdir()
        (stage / "pictures" / "b.txt").write_text("b")
        assert not target.exists()
    found = everything_below(tmp_path / "new")
    assert found == ["run", "run/a.txt", "run/pictures", "run/pictures/b.txt"]
    assert (target / "pictures" / "b.txt").read_text() == "b"


def test_files_move_into_a_folder_beside_those_that_are_there(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "mine.txt").write_text("mine")
    (run / "a.txt").write_text("old")
    with staged_folder(run) as stage:
        (stage / "a.txt").write_text("new")
    assert everything_below(tmp_path) == ["run", "run/a.txt", "run/mine.txt"]
    assert (run / "a.txt").read_text() == "new"
    assert (run / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("failure", [RuntimeError("mine"), OSError(errno.ENOSPC, "full")])
def test_a_failed_folder_leaves_nothing(tmp_path, failure):
    wanted = OutputError if isinstance(failure, OSError) else RuntimeError
    with pytest.raises(wanted):
        fail_within(staged_folder(tmp_path / "new" / "run"), failure)
    assert everything_below(tmp_path) == []


def test_nothing_moves_when_a_file_would_replace_a_folder(tmp_path):
    run = tmp_path / "run"
    (run / "b.txt").mkdir(parents=True)
    with pytest.raises(OutputError) as error:
        write_two(run)
    assert one_sentence(str(error.value), run / "b.txt", "a folder")
    assert everything_below(tmp_path) == ["run", "run/b.txt"]


def test_a_failure_inside_names_the_final_place(tmp_path):
    run = tmp_path / "run"
    with pytest.raises(OutputError) as error, staged_folder(run) as stage:
        fail_within(replacing(stage / "a.txt"), OSError(errno.ENOSPC, "full"))
    assert one_sentence(str(error.value), run / "a.txt", "free")


def test_a_folder_that_is_a_disk_of_its_own(tmp_path):
    with small_disk(tmp_path / "disk", 100) as disk:
        write_two(disk)
        assert files_on(disk) == ["a.txt", "b.txt"]


@pytest.mark.parametrize("place", [require_folder_place, made_folder])
def test_a_place_for_a_folder_is_refused_in_one_sentence(tmp_path, place):
    (tmp_path / "file").write_text("old")
    for name, words in (
        ("file", "a file"),
        ("file/a/b", "a file"),
        ("n" * 300, "File name too long"),
    ):
        with pytest.raises(OutputError) as error:
            place(tmp_path / name)
        taken = tmp_path / ("file" if "file" in name else name)
        assert one_sentence(str(error.value), taken, words, "another place")
    assert everything_below(tmp_path) == ["file"]


def test_looking_at_a_place_leaves_nothing_there(tmp_path):
    require_folder_place(tmp_path / "a" / "b")
    require_folder_place(tmp_path)
    assert everything_below(tmp_path) == []
    made_folder(tmp_path / "a" / "b")
    assert everything_below(tmp_path) == ["a", "a/b"]


def test_pictures_of_an_older_image_go_before_the_new_one_comes(tmp_path, monkeypatch):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("phase.png", "mine.txt", "a.txt"):
        (run / name).write_text("old")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(atomic.os, "replace", killed)
        with (
            pytest.raises(KeyboardInterrupt),
            staged_folder(run, outdated=["phase.png", "never.png"]) as stage,
        ):
            (stage / "a.txt").write_text("new")
    assert everything_below(run) == ["a.txt", "mine.txt"]
    with staged_folder(run, outdated=["a.txt"]) as stage:
        (stage / "b.txt").write_text("new")
    assert everything_below(run) == ["b.txt", "mine.txt"]
