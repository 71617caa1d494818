"""The client of Files: what it makes of many messages, and what it does not believe of names."""

from __future__ import annotations

from typing import Any

import pytest
from tests.clients import Fake, Outcome

from eactors.services import Files, SystemActorError, SystemActorMisbehaved
from eactors.services import files_messages as files
from eactors.services.base import Done, Failed


class Disk:
    """A client, and one file that answers it as an honest system actor would."""

    def __init__(self, content: bytes = b"") -> None:
        self.fake = Fake(Files(), files.Requests)
        self.client = self.fake.client
        self.content = bytearray(content)
        self.most = 0
        self.closed = 0
        self._done = 0

    def serve(self, *, reverse: bool = False) -> None:
        """Answer all that is open, until nothing more is asked."""
        sent = self.fake.connector.sent
        while self._done < len(sent):
            requests = sent[self._done :]
            self._done = len(sent)
            self.most = max(self.most, len(requests))
            for request in reversed(requests) if reverse else requests:
                self.fake.say(self._answer(request))

    def _answer(self, request: Any) -> Any:
        match request:
            case files.Open():
                return files.Opened(request.id, len(self.content))
            case files.Read():
                return files.Data(
                    request.id, bytes(self.content[request.offset : request.offset + request.size])
                )
            case files.Write():
                self.content[request.offset : request.offset + len(request.data)] = request.data
            case files.Close():
                self.closed += 1
            case files.Stat():
                return files.Status(request.id, "file", len(self.content), 0)
        return Done(request.id)


@pytest.mark.parametrize("size", [0, 1, files.CHUNK - 1, files.CHUNK, files.CHUNK + 1, 10 * files.CHUNK + 7])
def test_whole_files(size: int) -> None:
    """Read and written in chunks, a few at once, however large they are."""
    content = bytes(range(251)) * (size // 251 + 1)
    disk = Disk()
    wrote = Outcome(disk.client.write("data/a", content[:size], sync=True))
    disk.serve()
    assert (wrote.results, bytes(disk.content)) == ([None], content[:size])
    assert type(disk.fake.connector.sent[-2]) is files.Sync
    read = Outcome(disk.client.read("data/a"))
    disk.serve()
    assert read.results == [content[:size]]
    assert (disk.closed, disk.most <= 4) == (2, True)


def test_what_cannot_be_written_is_refused_before_anything_is_opened() -> None:
    """A file that is opened to be written is empty already."""
    disk = Disk(b"content")
    with pytest.raises(TypeError, match="bytes-like"):
        disk.client.write("data/a", "text")
    disk.serve()
    assert (bytes(disk.content), disk.fake.connector.sent) == (b"content", [])


def test_a_length_that_is_none_is_not_asked_for() -> None:
    """Whoever sends that is no honest client, and is answered no more."""
    disk = Disk()
    opened = Outcome(disk.client.open("data/a", "r+"))
    disk.serve()
    (file,) = opened.results
    for size in (-3, 1 << 70):
        truncated = Outcome(file.truncate(size))
        (error,) = truncated.errors
        assert isinstance(error, SystemActorError)
        assert (error.errno, error.operation) == (22, "truncate")
    assert [type(each) for each in disk.fake.connector.sent] == [files.Open]


def test_a_file_larger_than_the_limit_is_an_error() -> None:
    """And no more of it is read than tells so: a host can make a file as large as it likes."""
    disk = Disk(bytes(1000))
    read = Outcome(disk.client.read("data/a", limit=999))
    disk.serve()
    assert [str(error) for error in read.errors] == ["read data/a: the file has more than 999 bytes"]
    assert disk.closed == 1
    exact = Outcome(disk.client.read("data/a", limit=1000))
    disk.serve()
    assert exact.results == [bytes(1000)]


def test_a_failed_chunk_fails_the_whole_and_nothing_more_is_written() -> None:
    """On a full disk the first refusal is the answer."""
    disk = Disk()
    wrote = Outcome(disk.client.write("data/a", bytes(20 * files.CHUNK)))
    disk.fake.say(files.Opened(disk.fake.asked().id, 0))
    chunks = disk.fake.connector.sent[1:]
    disk.fake.say(Failed(chunks[0].id, 28, "write", "No space left on device"))
    disk.fake.say(Done(chunks[1].id))
    assert [type(each) for each in disk.fake.connector.sent[5:]] == [files.Close]
    disk.fake.say(Done(disk.fake.asked().id))
    assert [type(each) for each in wrote.errors] == [SystemActorError]


def test_reading_where_the_file_ends() -> None:
    """A short chunk is the end, even if the file grows meanwhile."""
    disk = Disk(bytes(files.CHUNK + 10))
    opened = Outcome(disk.client.open("data/a"))
    disk.serve()
    read = Outcome(opened.results[0].read(0, 10 * files.CHUNK))
    disk.serve()
    assert [len(data) for data in read.results] == [files.CHUNK + 10]


def test_more_bytes_than_were_asked_for_are_not_believed() -> None:
    """They would shift all that follows."""
    disk = Disk()
    opened = Outcome(disk.client.open("data/a"))
    disk.serve()
    read = Outcome(opened.results[0].read(0, 10))
    disk.fake.say(files.Data(disk.fake.asked().id, bytes(11)))
    assert "read 11 bytes where 10 were asked for" in str(read.errors[0])


PAGES: dict[str, tuple[list[tuple[bytes, str]], bool, str]] = {
    "leads out": ([(b"../x", "file")], False, "a name in a directory is b'../x'"),
    "the parent": ([(b"..", "directory")], False, "a name in a directory is b'..'"),
    "twice": ([(b"b", "file"), (b"b", "file")], False, "names that are not in their order"),
    "backwards": ([(b"b", "file"), (b"a", "file")], False, "names that are not in their order"),
    "no end": ([], True, "more names follow no names"),
}


@pytest.mark.parametrize("case", PAGES)
def test_names_that_are_none_are_not_believed(case: str) -> None:
    """A name from a listing goes into a path, and a listing must end."""
    entries, more, words = PAGES[case]
    fake = Fake(Files(), files.Requests)
    listed = Outcome(fake.client.list("data"))
    fake.say(files.Listed(fake.asked().id, entries, more))  # type: ignore[arg-type]
    assert words in str(listed.errors[0])


def test_a_long_list_comes_in_pages() -> None:
    """Each asks for what comes after the last; names need not be text."""
    fake = Fake(Files(), files.Requests)
    listed = Outcome(fake.client.list("data"))
    fake.say(files.Listed(fake.asked().id, [(b"a", "file"), (b"b\xff", "link")], more=True))
    assert fake.asked().after == b"b\xff"
    fake.say(files.Listed(fake.asked().id, [(b"c", "directory")], more=False))
    entries = [(entry.name, entry.kind) for entry in listed.results[0]]
    assert entries == [("a", "file"), ("b\udcff", "link"), ("c", "directory")]
    again = Outcome(fake.client.stat(f"data/{entries[1][0]}"))
    assert fake.asked().path == b"data/b\xff"
    short = Outcome(fake.client.list("data", limit=1))
    fake.say(files.Listed(fake.asked().id, [(b"a", "file"), (b"b", "file")], more=True))
    assert "more than 1 names" in str(short.errors[0])
    assert again.results == []


def test_watches() -> None:
    """Told with the name; after cancel() a change that was on its way is dropped, and then none may come."""
    fake = Fake(Files(), files.Requests)
    told: list[tuple[str, str]] = []
    watched = Outcome(fake.client.watch("data", lambda what, name: told.append((what, name))))
    number = fake.asked().watch
    fake.say(Done(fake.asked().id))
    fake.say(files.Changed(number, "created", b"x"))
    watched.results[0].cancel()
    watched.results[0].cancel()
    fake.say(files.Changed(number, "removed", b"x"))
    fake.say(Done(fake.asked().id))
    assert told == [("created", "x")]
    fake.say(files.Changed(number, "removed", b"x"))
    assert "which watches nothing" in str(fake.client.broken)


def test_who_only_watches_hears_of_nonsense() -> None:
    """An actor that waits for a change would wait for ever."""
    fake = Fake(Files(), files.Requests)
    fake.client.watch("data", print)
    fake.say(Done(fake.asked().id))
    with pytest.raises(SystemActorMisbehaved, match="a name in a directory is b'/'"):
        fake.say(files.Changed(fake.connector.sent[0].watch, "created", b"/"))


def test_what_is_asked_meanwhile_waits_for_its_turn() -> None:
    """A hundred records in one call: each is written whole, in order, with one file open at a time."""
    disk = Disk()
    disk.client.write("data/a", bytes(3)).then(lambda _: None)
    for number in range(100):
        disk.client.append("data/a", b"%d" % number).then(lambda _: None)
    looked = Outcome(disk.client.stat("data/a"))
    read = Outcome(disk.client.read("data/a"))
    opens = 0
    for request in disk.fake.connector.sent:
        opens += type(request) is files.Open
    assert opens == 1
    disk.serve()
    paths = [type(request).__name__ for request in disk.fake.connector.sent]
    assert paths[:303] == ["Open", "Write", "Close"] * 101
    assert paths[303] == "Stat"
    assert (len(looked.results), len(read.results)) == (1, 1)


def test_all_that_waits_fails_when_nothing_is_believed_any_more() -> None:
    """However much it is."""
    fake = Fake(Files(), files.Requests)
    outcomes = [Outcome(fake.client.append("data/a", b"x")) for _ in range(5000)]
    fake.client.take(b"?")
    assert {type(error) for outcome in outcomes for error in outcome.errors} == {SystemActorMisbehaved}
    assert all(len(outcome.errors) == 1 for outcome in outcomes)
