"""What an actor and the system actor for files say to each other."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from eactors.services.base import Done, Failed, Message, Number
from eactors.services.paths import Path  # noqa: TC001 - msgspec looks it up

CHUNK = 1 << 16
"""Bytes that one message carries at most."""

LONGEST_NAME = 255

Name = Annotated[bytes, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
Position = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Chunk = Annotated[bytes, msgspec.Meta(max_length=CHUNK)]
Mode = Literal["r", "r+", "w", "w+", "a", "x", "x+"]
MODES = ("r", "r+", "w", "w+", "a", "x", "x+")
Kind = Literal["file", "directory", "link", "pipe", "other"]
What = Literal["created", "removed", "changed", "lost"]


class Open(Message, tag=10):
    """Open a file, under a number that the client chose."""

    id: Number
    file: Number
    path: Path
    mode: Mode


class Read(Message, tag=11):
    """Read so many bytes, less only at the end of the file."""

    id: Number
    file: Number
    offset: Position
    size: Annotated[int, msgspec.Meta(ge=0, le=CHUNK)]


class Write(Message, tag=12):
    """Write all of ``data``; where, a file that was opened to append decides itself."""

    id: Number
    file: Number
    offset: Position
    data: Chunk


class Sync(Message, tag=13):
    """Put what was written to a file on the disk, and if it is new, its name."""

    id: Number
    file: Number


class Truncate(Message, tag=14):
    """Give a file another length."""

    id: Number
    file: Number
    size: Position


class Close(Message, tag=15):
    """Close a file."""

    id: Number
    file: Number


class Stat(Message, tag=16):
    """Ask what is at a path."""

    id: Number
    path: Path


class List(Message, tag=17):
    """Ask for the next names in a directory, in their order."""

    id: Number
    path: Path
    after: Annotated[bytes, msgspec.Meta(max_length=LONGEST_NAME)]


class Rename(Message, tag=18):
    """Give a file another name, in place of what has that name."""

    id: Number
    path: Path
    to: Path


class Remove(Message, tag=19):
    """Remove a file, a link, or an empty directory."""

    id: Number
    path: Path


class Make(Message, tag=20):
    """Make a directory."""

    id: Number
    path: Path


class Settle(Message, tag=21):
    """Put the names in a directory on the disk."""

    id: Number
    path: Path


class Watch(Message, tag=22):
    """Tell of changes of a file or of the names in a directory, until it is told to stop."""

    id: Number
    watch: Number
    path: Path


class Unwatch(Message, tag=23):
    """Tell of them no more."""

    id: Number
    watch: Number


class Opened(Message, tag=30):
    """A file was opened, and has so many bytes."""

    id: Number
    size: Position


class Data(Message, tag=31):
    """What was read."""

    id: Number
    data: Chunk


class Status(Message, tag=32):
    """What is at a path."""

    id: Number
    kind: Kind
    size: Position
    modified: Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]


class Listed(Message, tag=33):
    """Names in a directory with the kind of each, and whether there are more."""

    id: Number
    entries: Annotated[list[tuple[Name, Kind]], msgspec.Meta(max_length=4096)]
    more: bool


class Changed(Message, tag=34):
    """Something watched has changed; the name is empty if it was not a name in a directory."""

    watch: Number
    what: What
    name: Annotated[bytes, msgspec.Meta(max_length=LONGEST_NAME)]


Requests = (
    Open
    | Read
    | Write
    | Sync
    | Truncate
    | Close
    | Stat
    | List
    | Rename
    | Remove
    | Make
    | Settle
    | Watch
    | Unwatch
)
Says = Done | Failed | Opened | Data | Status | Listed | Changed
