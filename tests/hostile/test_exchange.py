"""Key exchanges with a host in the middle, who carries every message and may run enclaves of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from tests.attested import EXCHANGES, Deployed, agreed, begun, clone, measurement_of, over, refused, talk

from eactors.attestation.end import HELLO
from eactors.errors import ExchangeFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eactors.attestation.end import End

every_exchange = pytest.mark.parametrize("exchange", EXCHANGES)
attested = pytest.mark.parametrize("exchange", ["local-attestation", "sealing"])

LOW_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]
"""Points of order 1, 2, 4 and 8, and their other encodings (cr.yp.to/ecdh.html#validate)."""


def steps(deployed: Deployed) -> Iterator[tuple[End, bytes]]:
    """Run an exchange, and give each message with its receiver as it is before it comes."""
    ends = deployed.ends()
    waiting = [(1 - side, frame) for side in (0, 1) for frame in ends[side](None)[0]]
    while waiting:
        side, frame = waiting.pop(0)
        yield ends[side], frame
        waiting += [(1 - side, message) for message in ends[side](frame)[0]]


@every_exchange
def test_any_flipped_bit_is_noticed(exchange: str) -> None:
    """Either the receiver refuses the message, or no end comes to keys after it.

    A hello is only noticed once something covers it: then what follows fails at both ends. Every
    other message is refused at once by who receives it.
    """
    deployed = Deployed(exchange=exchange)
    for receiver, frame in steps(deployed):
        for bit in range(8 * len(frame)):
            changed = bytearray(frame)
            changed[bit // 8] ^= 1 << bit % 8
            end = clone(receiver)
            if frame[2] == HELLO and bit >= 32:
                _, keys = end(bytes(changed))
                assert keys is None
                assert end.transcript != b""
                continue
            with pytest.raises(ExchangeFailed):
                end(bytes(changed))


@every_exchange
def test_a_changed_hello_leaves_both_ends_without_keys(exchange: str) -> None:
    """Whichever bit it is; the one that X25519 ignores, too."""
    deployed = Deployed(exchange=exchange)
    for side in (0, 1):
        for bit in range(32, 36 * 8):

            def carry(sender: int, index: int, frame: bytes, side: int = side, bit: int = bit) -> bytes:
                if (sender, index) != (side, 0):
                    return frame
                changed = bytearray(frame)
                changed[bit // 8] ^= 1 << bit % 8
                return bytes(changed)

            ends = deployed.ends()
            with pytest.raises(ExchangeFailed):
                talk(ends, carry)
            assert "done" not in [end.state for end in ends]


@every_exchange
def test_a_frame_of_another_length_is_refused(exchange: str) -> None:
    """Cut anywhere, or longer."""
    for receiver, frame in steps(Deployed(exchange=exchange)):
        for changed in [*(frame[:length] for length in range(len(frame))), frame + b"\0", frame * 2]:
            refused(clone(receiver), changed, "another key exchange|no message that there is")


@every_exchange
def test_a_frame_that_comes_twice_is_refused(exchange: str) -> None:
    """Whatever came first has been answered."""
    for receiver, frame in steps(Deployed(exchange=exchange)):
        twin = clone(receiver)
        _, keys = twin(frame)
        with pytest.raises(ExchangeFailed, match="out of turn"):
            twin(frame)
        over(twin, "failed")
        assert keys is None or any(keys[0])


@every_exchange
def test_every_order_but_one_is_refused(exchange: str) -> None:
    """A message before the beginning, a second beginning, and later messages first."""
    deployed = Deployed(exchange=exchange)
    frames = [frame for _, frame in steps(deployed)]
    for frame in frames:
        refused(deployed.end(0, 1 - frame[3]), frame, "out of turn: this end is not begun")
        if frame[2] != HELLO:
            end = deployed.end(0, 1 - frame[3])
            end(None)
            refused(end, frame, "out of turn: this end is waiting for the hello")
    end = deployed.end(0, 0)
    end(None)
    with pytest.raises(ExchangeFailed, match="the start of enclave 2 came out of turn"):
        end(None)


@every_exchange
def test_an_exchange_that_is_done_says_no_more(exchange: str) -> None:
    """Its secrets are gone, the keys belong to the caller."""
    ends = Deployed(exchange=exchange).ends()
    assert agreed(talk(ends))
    for end in ends:
        over(end, "done")


@every_exchange
def test_two_channels_swapped_during_the_handshake(exchange: str) -> None:
    """Two channels of the same two enclaves: what was said on one is worth nothing on the other."""
    deployed = Deployed([(1, 2), (1, 2)], exchange=exchange)
    with pytest.raises(ExchangeFailed, match=r"another channel|other keys"):
        talk((deployed.end(0, 0), deployed.end(1, 1)))
    # Only what follows the hellos is swapped.
    straight, crossed = deployed.ends(0), deployed.ends(1)
    hellos, others = begun(straight), begun(crossed)
    straight[1](hellos[0])
    refused(straight[1], crossed[0](others[1])[0][0], "another channel|other keys")


def test_a_substituted_public_key() -> None:
    """The host answers both ends with a key of its own, and carries the reports."""
    ends = Deployed().ends()
    begun(ends)
    own = X25519PrivateKey.generate().public_key().public_bytes_raw()
    reports = [ends[side](bytes((1, 1, HELLO, 1 - side)) + own)[0][0] for side in (0, 1)]
    for side in (0, 1):
        refused(ends[side], reports[1 - side], "does not cover this exchange, but another public key")


def test_a_host_in_the_middle_of_diffie_hellman_is_not_noticed() -> None:
    """Which is what a deployment that wants it has to call insecure."""
    ends, host = Deployed(exchange="diffie-hellman").ends(), Deployed(exchange="diffie-hellman").ends()
    assert agreed(talk((ends[0], host[1])))
    assert agreed(talk((host[0], ends[1])))


@every_exchange
def test_an_own_hello_that_comes_back(exchange: str) -> None:
    """As it was sent, or as if the peer had sent it."""
    for side in (0, 1):
        for changed in (side, 1 - side):
            end = Deployed(exchange=exchange).end(0, side)
            hello = end(None)[0][0]
            refused(end, hello[:3] + bytes((changed,)) + hello[4:], "came back")


@every_exchange
def test_an_own_proof_that_comes_back(exchange: str) -> None:
    """Two enclaves of one image, so that a report for the peer is one for the sender, too."""
    same = {2: {"measurement": measurement_of(1).hex()}}
    ends = Deployed(exchange=exchange, changes=same).ends()
    hellos = begun(ends)
    own = [ends[side](hellos[1 - side])[0] for side in (0, 1)]
    for side in (0, 1):
        for frame in own[side]:
            refused(clone(ends[side]), frame, "own message came back")
            other_side = frame[:3] + bytes((1 - side,)) + frame[4:]
            refused(clone(ends[side]), other_side, "does not cover this exchange|out of turn|other keys")


@every_exchange
def test_both_ends_claim_one_side(exchange: str) -> None:
    """One enclave was told by its host that it is the other end."""
    deployed = Deployed(exchange=exchange)
    end, rival = deployed.end(0, 0), deployed.end(0, 0)
    end(None)
    refused(end, rival(None)[0][0], "claims side 0")


@every_exchange
def test_an_old_run_played_back(exchange: str) -> None:
    """All that the peer ever said on this very channel, to a new run of this end."""
    deployed = Deployed(exchange=exchange)
    for side in (0, 1):
        *earlier, last = [frame for _, frame in steps(deployed) if frame[3] != side]
        end = deployed.end(0, side)
        end(None)
        for frame in earlier:
            assert end(frame)[1] is None
        refused(end, last, "earlier run")


@pytest.mark.parametrize("point", LOW_ORDER)
@pytest.mark.parametrize("exchange", ["local-attestation", "diffie-hellman"])
@pytest.mark.parametrize("high_bit", [0, 0x80])
def test_a_public_key_of_low_order(exchange: str, point: str, high_bit: int) -> None:
    """With it the secret would be zero, whatever the private key."""
    ends = Deployed(exchange=exchange).ends()
    hello = bytearray(begun(ends)[1])
    hello[4:] = bytes.fromhex(point)
    hello[-1] |= high_bit
    refused(ends[0], bytes(hello), "the public key of enclave 2 is not valid")


@every_exchange
def test_an_end_that_failed_in_the_middle_keeps_no_secrets(exchange: str) -> None:
    """Whatever is said to it after the hellos."""
    deployed = Deployed(exchange=exchange)
    ends = deployed.ends()
    hellos = begun(ends)
    for side in (0, 1):
        ends[side](hellos[1 - side])
        refused(ends[side], b"", "another key exchange, or another version")
