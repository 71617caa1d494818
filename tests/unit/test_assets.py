"""Assets: what is answered to each kind of request, without a server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eactors.web.assets import Assets

FILES = {"index.html": b"<p>", "a/index.html": b"<a>", "big.bin": bytes(range(256)) * 1000, "empty.txt": b""}


def ask(path: str, method: str = "GET", root: str = "", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an answer."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> None:
        raise AssertionError("nothing is read")

    asked = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "root_path": root, "headers": asked}
    asyncio.run(Assets(FILES)(scope, receive, send))
    start, *bodies = sent
    assert [body.get("more_body", False) for body in bodies] == [True] * (len(bodies) - 1) + [False]
    assert max(len(body["body"]) for body in bodies) <= 1 << 16
    said = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], said, b"".join(body["body"] for body in bodies)


@pytest.mark.parametrize(
    ("path", "root", "body"),
    [
        ("/", "", b"<p>"),
        ("/index.html", "", b"<p>"),
        ("/a/", "", b"<a>"),
        ("/static/a/index.html", "/static", b"<a>"),
        ("/empty.txt", "", b""),
        ("/big.bin", "", FILES["big.bin"]),
    ],
)
def test_files_and_folders(path: str, root: str, body: bytes) -> None:
    """By name; a folder by its index; below the place where an application mounts them."""
    status, head, got = ask(path, root=root)
    assert (status, got, head["content-length"]) == (200, body, str(len(body)))


@pytest.mark.parametrize("path", ["/a", "/A/", "//index.html", "/../index.html", "/a/../index.html", "/\0"])
def test_nothing_else(path: str) -> None:
    """Names are looked up as they are; there is no file system to lead anywhere."""
    assert ask(path)[0] == 404


@given(first=st.integers(0, 300_000), last=st.integers(0, 300_000))
def test_a_range_is_that_part_of_the_whole(first: int, last: int) -> None:
    """Or does not exist, or means nothing and gets the whole."""
    whole = FILES["big.bin"]
    status, head, body = ask("/big.bin", range=f"bytes={first}-{last}")
    if last < first:
        assert (status, body) == (200, whole)
    elif first >= len(whole):
        assert (status, head["content-range"]) == (416, f"bytes */{len(whole)}")
    else:
        assert (status, body) == (206, whole[first : last + 1])
        assert head["content-length"] == str(len(body))


@pytest.mark.parametrize(
    "asked", ["bytes=-", "bytes=1-2,5-6", "lines=1-2", "bytes=1-x", "bytes=" + "9" * 99 + "-", "bytes=²-3"]
)
def test_what_is_no_range_is_answered_by_the_whole(asked: str) -> None:
    """As RFC 9110 wants it (14.2)."""
    assert ask("/big.bin", range=asked)[0] == 200


@given(st.text(st.characters(max_codepoint=255)))
def test_no_header_confuses_it(value: str) -> None:
    """Whatever a client writes into one."""
    for name in ("range", "if_none_match", "if_match", "if_range"):
        assert ask("/index.html", **{name: value})[0] in {200, 206, 304, 412, 416}


def test_the_tag_says_what_the_bytes_are() -> None:
    """Weakly compared for what a client has, strongly for what it wants to change."""
    tag = ask("/index.html")[1]["etag"]
    assert tag != ask("/a/")[1]["etag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        assert ask("/index.html", if_none_match=known)[0] == 304
    assert ask("/index.html", if_match=f"W/{tag}")[0] == 412
    assert ask("/index.html", if_match=tag)[0] == 200
