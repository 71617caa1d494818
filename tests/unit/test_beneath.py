"""No path leads out of a directory that the deployment grants, whatever links lie there."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest
from tests.sessions import open_descriptors

from eactors.system import beneath
from eactors.system.grants import Grants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Open = Callable[[int, bytes, int], int]


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[int]:
    """A granted directory with links of all kinds, beside a secret, open."""
    (tmp_path / "secret").write_text("secret")
    data = tmp_path / "data"
    (data / "sub" / "deep").mkdir(parents=True)
    (data / "sub" / "file").write_text("file")
    (data / "out").symlink_to("../secret")
    (data / "absolute").symlink_to(tmp_path / "secret")
    (data / "up").symlink_to("..")
    (data / "sub" / "root").symlink_to("/")
    (data / "inside").symlink_to("sub")
    (data / "loop").symlink_to("loop")
    (data / "magic").symlink_to("/proc/self/cwd")
    descriptor = os.open(data, os.O_PATH | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


OPENS = [pytest.param(beneath.open_beneath, id="openat2"), pytest.param(beneath.walk_beneath, id="walk")]
ESCAPES = [
    b"out", b"absolute", b"up", b"up/secret", b"up/data/sub/file", b"sub/root/etc/passwd", b"sub/root",
    b"loop", b"magic", b"magic/x", b"inside/root/etc/passwd", b"nothing/../../secret",
]  # fmt: skip


@pytest.mark.parametrize(
    "flags", [os.O_RDONLY, os.O_PATH, os.O_WRONLY | os.O_CREAT, os.O_PATH | os.O_DIRECTORY]
)
@pytest.mark.parametrize("path", ESCAPES, ids=bytes.decode)
@pytest.mark.parametrize("opened", OPENS)
def test_no_link_leads_out(tree: int, opened: Open, path: bytes, flags: int) -> None:
    """Neither at the end of a path nor on the way, neither to read nor to write nor to look."""
    with pytest.raises(OSError, match=r"\S") as caught:
        opened(tree, path, flags)
    refusals = {errno.EXDEV, errno.ELOOP, errno.ENOENT, errno.ENOTDIR}
    assert caught.value.errno in refusals


@pytest.mark.parametrize("opened", OPENS)
def test_what_is_below_opens(tree: int, opened: Open) -> None:
    """Files, directories, and new files."""
    for path, flags in (
        (b"sub/file", os.O_RDONLY),
        (b"sub/deep", os.O_PATH),
        (b"sub/new", os.O_RDWR | os.O_CREAT),
    ):
        descriptor = opened(tree, path, flags)
        assert os.get_inheritable(descriptor) is False
        os.close(descriptor)


def test_links_that_stay_below_are_followed_by_the_kernel_only(tree: int) -> None:
    """The walk follows none, for it could be changed under it."""
    if beneath.has_openat2():
        os.close(beneath.open_beneath(tree, b"inside/file", os.O_RDONLY))
    with pytest.raises(OSError, match="Not a directory"):
        beneath.walk_beneath(tree, b"inside/file", os.O_RDONLY)


def test_no_descriptors_are_left(tree: int) -> None:
    """Neither by success nor by refusal."""
    for opened in (beneath.open_beneath, beneath.walk_beneath):
        os.close(opened(tree, b"sub/file", os.O_RDONLY))
        before = open_descriptors()
        for path in (*ESCAPES, b"sub/nothing", b"sub/file/x"):
            with pytest.raises(OSError, match=r"\S"):
                opened(tree, path, os.O_PATH)
        assert open_descriptors() == before


@pytest.fixture
def grants(tmp_path: Path) -> Iterator[Grants]:
    """What actor A is granted: one directory to read, one to write; a third is another's."""
    for name in ("data", "logs", "others"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    (tmp_path / "data" / "out").symlink_to("../others/file")
    granted = Grants(
        "A",
        [
            {"name": "data", "path": str(tmp_path / "data"), "access": "read", "actor": None},
            {"name": "logs", "path": str(tmp_path / "logs"), "access": "write", "actor": "A"},
            {"name": "others", "path": str(tmp_path / "others"), "access": "write", "actor": "B"},
        ],
    )
    yield granted
    granted.close()


REFUSED = {
    b"": (errno.EACCES, "grants no directory ''"),
    b"others/file": (errno.EACCES, r"grants no directory 'others' \(it grants: data, logs\)"),
    b"/etc/passwd": (errno.EACCES, "grants no directory ''"),
    b"etc/passwd": (errno.EACCES, "grants no directory 'etc'"),
    b"data/../others/file": (errno.EINVAL, "no '..'"),
    b"data/./file": (errno.EINVAL, "no '.'"),
    b"data//file": (errno.EINVAL, "no empty names"),
    b"data/": (errno.EINVAL, "no empty names"),
    b"data/file\0x": (errno.EINVAL, "a path has no NUL"),
    b"\xff": (errno.EACCES, r"grants no directory '\\\\xff'"),
    b"data/out": (errno.EACCES, "it leads out of the directory 'data'"),
}


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_not_granted(grants: Grants, path: bytes) -> None:
    """Refused in words that name what is granted."""
    number, words = REFUSED[path]
    if path == b"data/out" and not beneath.has_openat2():
        pytest.skip("this kernel has no openat2")
    with pytest.raises(OSError, match=words) as caught:
        grants.open(path, os.O_RDONLY)
    assert caught.value.errno == number


def test_a_directory_for_reading_is_not_written_to(grants: Grants) -> None:
    """Neither its files, nor its names."""
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_CREAT, os.O_RDONLY | os.O_TRUNC):
        with pytest.raises(OSError, match="grants the directory 'data' for reading only") as caught:
            grants.open(b"data/file", flags)
        assert caught.value.errno == errno.EROFS
    with pytest.raises(OSError, match="for reading only"), grants.parent(b"data/file"):
        pass
    with pytest.raises(OSError, match="a directory of the deployment itself"), grants.parent(b"logs"):
        pass


def test_a_parent_is_below_too(grants: Grants, tmp_path: Path) -> None:
    """What is renamed or removed lies in the directory that its path says, through no link."""
    (tmp_path / "logs" / "up").symlink_to("..")
    with pytest.raises(OSError, match=r"leads out|Not a directory"), grants.parent(b"logs/up/others"):
        pass
    with grants.parent(b"logs/file") as (folder, name):
        os.unlink(name, dir_fd=folder)
    assert not (tmp_path / "logs" / "file").exists()
