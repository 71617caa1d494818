"""Assets: an ASGI application that serves files that an enclave has in its memory.

What the libraries have for static files looks into a folder with each request, which an enclave
cannot. Here the whole content is there from the start, and so is its hash: the entity tag says
what the bytes are, and no date has to be believed (RFC 9110).
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Headers = list[tuple[bytes, bytes]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

_CHUNK = 1 << 16
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_TYPES = {
    "css": "text/css; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "gif": "image/gif",
    "htm": "text/html; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "map": "application/json",
    "md": "text/markdown; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "ttf": "font/ttf",
    "txt": "text/plain; charset=utf-8",
    "wasm": "application/wasm",
    "webm": "video/webm",
    "webmanifest": "application/manifest+json",
    "webp": "image/webp",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "xml": "application/xml",
    "zip": "application/zip",
}
"""Not the host's table of types: it would differ from machine to machine."""


class Asset:
    """One file.

    Attributes:
        body: Its content.
        kind: Its content type.
        tag: Its entity tag.
    """

    __slots__ = ("body", "kind", "tag")

    def __init__(self, name: str, body: bytes) -> None:
        self.body = body
        self.kind = _TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
        self.tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'


class Assets:
    """Serves files by their names.

    Args:
        files: Content by name; names are the paths that clients ask for, without the first "/".
        index: What is served for a folder.
        cache: What clients may do with an answer; by default they ask each time whether it is
            still the same.
    """

    def __init__(
        self, files: Mapping[str, bytes], *, index: str = "index.html", cache: str = "no-cache"
    ) -> None:
        self._assets = {name: Asset(name, body) for name, body in files.items()}
        self._index = index
        self._cache = cache.encode()

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:  # noqa: ARG002 - ASGI's
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError("files are not served over WebSocket")
        if scope["method"] not in {"GET", "HEAD"}:
            await _say(send, 405, [(b"allow", b"GET, HEAD")])
            return
        asset = self._find(scope["path"].removeprefix(scope.get("root_path", "")))
        if asset is None:
            await _say(send, 404, [])
            return
        headers = [
            (b"etag", asset.tag.encode()),
            (b"cache-control", self._cache),
            (b"accept-ranges", b"bytes"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await _answer(asset, scope, send, headers)

    def _find(self, path: str) -> Asset | None:
        name = path.removeprefix("/")
        return self._assets.get(f"{name}{self._index}" if not name or name.endswith("/") else name)


async def _answer(asset: Asset, scope: Any, send: Send, headers: Headers) -> None:
    asked = {name: value.decode("latin-1") for name, value in scope["headers"]}
    wanted = asked.get(b"if-match")
    if wanted is not None and not _names(wanted, asset.tag, weak=False):
        await _say(send, 412, headers)
        return
    known = asked.get(b"if-none-match")
    if known is not None and _names(known, asset.tag, weak=True):
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    size = len(asset.body)
    part, status = range(size), 200
    if scope["method"] == "GET" and asked.get(b"if-range", asset.tag) == asset.tag:
        chosen = _part(asked.get(b"range"), size)
        if chosen is not None and not chosen:
            await _say(send, 416, [*headers, (b"content-range", b"bytes */%d" % size)])
            return
        if chosen is not None:
            part, status = chosen, 206
            headers.append((b"content-range", b"bytes %d-%d/%d" % (part.start, part.stop - 1, size)))
    headers += [(b"content-type", asset.kind.encode()), (b"content-length", b"%d" % len(part))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if scope["method"] == "GET":
        # Not at once: the server waits where a client is slow to read.
        for start in range(part.start, part.stop - _CHUNK, _CHUNK):
            body = asset.body[start : start + _CHUNK]
            await send({"type": "http.response.body", "body": body, "more_body": True})
            part = range(start + _CHUNK, part.stop)
    await send({"type": "http.response.body", "body": asset.body[part.start : part.stop]})


def _part(asked: str | None, size: int) -> range | None:
    """The bytes that are asked for: empty if there are none of them, None if all are.

    Several ranges at once are answered with the whole, as a server may (RFC 9110, 14.2).
    """
    found = None if asked is None else _RANGE.fullmatch(asked.strip())
    if found is None or found.group(1) == found.group(2) == "":
        return None
    first, last = found.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(size, int(last) + 1 if last else size))


def _names(tags: str, own: str, *, weak: bool) -> bool:
    """Whether a list of entity tags has this one."""
    listed = [tag.strip() for tag in tags.split(",")]
    return "*" in listed or own in ([tag.removeprefix("W/") for tag in listed] if weak else listed)


async def _say(send: Send, status: int, headers: Headers) -> None:
    words = {404: b"not found\n", 405: b"only GET and HEAD\n", 412: b"it has changed\n"}.get(status, b"")
    kinds = [(b"content-type", _TYPES["txt"].encode()), (b"content-length", b"%d" % len(words))]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *kinds]})
    await send({"type": "http.response.body", "body": words})
