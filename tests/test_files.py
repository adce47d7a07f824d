import errno
import os
from pathlib import Path

import pytest

from robustinfo.core.errors import UserError
from robustinfo.core.files import DiskError, atomic_write


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def write(path, text):
    with atomic_write(path) as partial:
        partial.write_text(text)


def test_a_file_appears_with_its_content_and_its_folders(tmp_path):
    path = tmp_path / "a/b/file.txt"
    write(path, "new")
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_until_the_end_the_old_file_stands(tmp_path):
    path = tmp_path / "file.txt"
    write(path, "old")
    with atomic_write(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("where", [(os, "fsync"), (os, "replace"), (Path, "write_text")])
def test_a_full_disk_leaves_the_old_file_whole_and_no_partial(where, tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    write(path, "old")
    with monkeypatch.context() as patch:
        patch.setattr(*where, full)
        with pytest.raises(DiskError, match=r"file\.txt: .*No space left.*free the disk"):
            write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    assert issubclass(DiskError, UserError)


def test_a_read_only_disk_is_told_by_its_first_error(tmp_path, monkeypatch):
    def read_only(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    for name in ("write_text", "unlink"):
        monkeypatch.setattr(Path, name, read_only)
    with pytest.raises(DiskError, match=r"cannot write .*file\.txt: .*Read-only file system"):
        write(tmp_path / "file.txt", "new")
    monkeypatch.setattr(Path, "mkdir", read_only)
    with pytest.raises(DiskError, match=r"cannot write .*file\.txt: .*Read-only file system"):
        write(tmp_path / "a/file.txt", "new")


def test_an_error_while_writing_passes_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "file.txt"
    with pytest.raises(ZeroDivisionError), atomic_write(path) as partial:
        partial.write_text("half")
        _ = 1 / 0
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_is_overwritten(tmp_path):
    path = tmp_path / "file.txt"
    (tmp_path / ".file.txt.partial").write_text("half of something much longer")
    write(path, "new")
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]
