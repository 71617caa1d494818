"""How an actor learns that an encrypted channel has broken, and what it may do then."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.sealed import BROKEN, Exchange, Pair, fields, idle
from tests.world import World, received

from eactors.errors import ActorStopped, ChannelBroken, ExchangeFailed

if TYPE_CHECKING:
    from collections.abc import Callable


def meddle(pair: Pair, to: int = 1) -> None:
    """Break the channel: change one bit of what is on its way."""
    pair.ends[1 - to].send(b"message")
    pair.frame(to)[40] ^= 1


def test_receive_raises_once_and_send_again(world: World) -> None:
    """The error says who, what and what next, and stays to be looked at."""
    pair = Pair(world)
    pair.open()
    meddle(pair)
    one, two = pair.ends
    two.send(b"before")
    assert (two.broken, two.closed) == (None, False)
    with pytest.raises(ChannelBroken) as caught:
        two.receive()
    error = caught.value
    assert str(error) == "actor 'Two': the channel 'line' to 'One' is broken: a frame failed authentication"
    assert (error.channel, error.peer) == ("line", "One")
    assert "changed, dropped or repeated what was sent" in (error.hint or "")
    assert two.broken is error
    assert two.closed
    assert two.receive() is None
    uses: list[Callable[[], object]] = [
        lambda: two.send(b""),
        lambda: two.try_send(b""),
        lambda: two.create(1),
    ]
    for use in uses:
        with pytest.raises(ChannelBroken) as caught:
            use()
        assert caught.value is error
    pair.turns(2)
    assert world.reported == []
    assert received(one) == b"before"
    with pytest.raises(ChannelBroken, match="to 'Two' is broken: its peer has given it up"):
        one.receive()
    pair.actors[1].stop()
    with pytest.raises(ActorStopped):
        two.send(b"")
    pair.turns(2)
    assert world.reported == [("finished", "Two", None)]


def test_an_actor_of_handlers_fails(world: World) -> None:
    """If it says nothing of breaks; nothing wrong is handed to it."""
    seen: list[bytes] = []
    pair = Pair(
        world, bodies=(idle, None), handlers=((None, None), (lambda _, cargo: seen.append(cargo.data), None))
    )
    pair.open()
    pair.ends[0].send(b"good")
    pair.turn(1)
    meddle(pair)
    pair.turns(2)
    assert seen == [b"good"]
    [(what, name, error)] = world.reported
    assert (what, name) == ("failed", "Two")
    assert isinstance(error, ChannelBroken)
    assert error is pair.ends[1].broken


@pytest.mark.parametrize("body", [None, idle])
def test_a_handler_of_breaks_is_called_once(world: World, body: Any) -> None:
    """And the actor goes on; what it sends before it is told goes the way of what it had sent."""
    told: list[Any] = []
    pair = Pair(
        world,
        bodies=(idle, body),
        handlers=((None, None), (None, lambda actor, error: told.append((actor, error)))),
    )
    pair.open()
    meddle(pair)
    two = pair.ends[1]
    if body is not None:
        assert two.receive() is None
        two.send(b"lost")
        assert not two.try_send(b"not even that")
        assert told == []
    pair.turns(3)
    assert told == [(pair.actors[1], two.broken)]
    if body is not None:
        assert world.reported == []
        with pytest.raises(ChannelBroken):
            two.send(b"never")
    else:
        assert world.reported == [("finished", "Two", None)], "all its peers are gone"


def test_a_handler_of_breaks_may_raise(world: World) -> None:
    """As any handler."""

    def lost(_: object, error: Exception) -> None:
        raise RuntimeError("given up") from error

    pair = Pair(world, handlers=((None, None), (None, lost)))
    pair.open()
    meddle(pair)
    assert pair.ends[1].receive() is None
    pair.turns(2)
    [(what, name, error)] = world.reported
    assert (what, name, str(error)) == ("failed", "Two", "given up")


def test_what_waits_is_dropped_with_the_channel(world: World) -> None:
    """The actor's other connectors do not wait for it any more."""
    pair = Pair(world)
    pair.open()
    one, two = pair.ends
    for _ in range(20):
        two.send(b"waits")
    meddle(pair)
    other = Pair(world, channel_id=8)
    other.open()
    with pytest.raises(ChannelBroken):
        two.receive()
    assert received(one) == b"waits"
    pair.actors[1].stop()
    pair.turns(2)
    assert world.reported == [("finished", "Two", None)]
    other.ends[0].send(b"untouched")
    assert received(other.ends[1]) == b"untouched"


def test_a_stopped_peer_does_not_wait_for_ever(world: World) -> None:
    """Its last messages find room, though nobody will read them."""
    pair = Pair(world)
    pair.open()
    for _ in range(20):
        pair.ends[0].send(b"waits")
    pair.actors[0].stop()
    pair.turn(0)
    pair.frame(1)[40] ^= 1
    with pytest.raises(ChannelBroken):
        pair.ends[1].receive()
    pair.turns(20)
    assert world.reported == [("finished", "One", None)]


def test_a_stopped_actor_fails_all_the_same(world: World) -> None:
    """Its last words cannot be heard, and that must not look as if they were."""
    pair = Pair(world, exchanges=(Exchange(0), Failing(ExchangeFailed("no"))))
    pair.ends[1].send(b"last words")
    pair.actors[1].stop()
    pair.turns(3)
    [(what, name, error)] = world.reported
    assert (what, name) == ("failed", "Two")
    assert error is pair.ends[1].broken


def test_the_peer_is_told_even_if_there_is_no_room_yet(world: World) -> None:
    """It would wait for ever for what never comes."""
    pair = Pair(world)
    pair.open()
    one, two = pair.ends
    for number in range(4):
        two.send(b"%d" % number)
    meddle(pair)
    with pytest.raises(ChannelBroken):
        two.receive()
    pair.turn(1)
    assert [received(one) for _ in range(4)] == [b"0", b"1", b"2", b"3"]
    assert received(one) is None
    pair.turn(1)
    assert fields(pair.frame(0)) == (0, 0, BROKEN)
    with pytest.raises(ChannelBroken, match="its peer has given it up"):
        one.receive()


class Failing(Exchange):
    """Fails in a way of its own at the peer's hello."""

    def __init__(self, answer: Any) -> None:
        super().__init__(1)
        self._answer = answer

    def __call__(self, frame: bytes | None) -> Any:
        """Do as every exchange does, until it counts."""
        if frame is None:
            return super().__call__(frame)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


KEY = bytes(range(16))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ExchangeFailed("the report is another's", hint="look closer"), "the report is another's"),
        (KeyError("x"), "the key exchange failed: 'x'"),
        (None, "the key exchange failed: "),
        (((b"x" * 16385,), None), "not bytes, or too long"),
        ((("text",), None), "not bytes, or too long"),
        (((), (bytearray(KEY), bytearray(KEY))), "keys that do not fit the cipher"),
        (((), (bytearray(16), bytearray(b"k" * 17))), "keys that do not fit the cipher"),
        (((), (bytearray(16), b"k" * 16)), "the key exchange failed: "),
    ],
)
def test_an_exchange_that_fails_breaks_the_channel(world: World, answer: Any, words: str) -> None:
    """At both ends; the cause stays with the error. One key for both directions is a failure, too."""
    pair = Pair(world, exchanges=(Exchange(0), Failing(answer)))
    one, two = pair.ends
    two.send(b"never")
    pair.turns(3)
    with pytest.raises(ChannelBroken, match=words) as caught:
        two.receive()
    assert caught.value.__cause__ is not None
    if isinstance(answer, Exception):
        assert caught.value.__cause__ is answer
        assert caught.value.hint == getattr(answer, "hint", caught.value.hint)
    with pytest.raises(ChannelBroken, match="its peer has given it up"):
        one.receive()
    if isinstance(answer, tuple) and answer[1] is not None and "fit" in words:
        assert all(not any(key) for key in answer[1]), "the keys are not wiped"


@pytest.mark.parametrize(
    ("cipher", "node_size", "words"),
    [("rot13", 48, "there is no such cipher"), ("aes-128-gcm", 0, "no room for a tag")],
)
def test_a_connector_is_not_attached_to_nonsense(
    world: World, cipher: str, node_size: int, words: str
) -> None:
    """The plan is checked before anything is sent."""
    with pytest.raises(ValueError, match=f"the channel to 'Two': .*{words}"):
        Pair(world, cipher=cipher, node_size=node_size, exchanges=(Exchange(0), Exchange(1)))


def test_references_are_counted_right(world: World) -> None:
    """Whatever way a channel has gone, nothing of it stays."""
    message = b"some message of some length" * 6

    def one_life(end: int) -> None:
        pair = Pair(world, message_size=300)
        pair.open()
        for _ in range(20):
            pair.ends[0].send(message)
            assert received(pair.ends[1]) == message
        if end == 0:
            meddle(pair)
            with pytest.raises(ChannelBroken):
                pair.ends[1].receive()
        pair.ends[0].send(b"left")

    one_life(0)
    before = sys.getrefcount(message), sys.getrefcount(None)
    for life in range(6):
        one_life(life % 2)
    assert sys.getrefcount(message) == before[0]
    assert abs(sys.getrefcount(None) - before[1]) < 100
