"""The sandbox and the software CPU: one descriptor stays, and the filter comes from there."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest
from tests.sandboxed import run

if TYPE_CHECKING:
    from pathlib import Path


def test_a_sealed_process_asks_the_cpu_and_nobody_else(tmp_path: Path) -> None:
    """It reads and writes descriptor 3, the socket of its instructions, and no other one."""
    answers = run(
        tmp_path,
        """
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
os.dup2(ours.fileno(), 3)
other = theirs.fileno()
assert other != 3
theirs.send(b"before")
seal()
report(
    before=os.read(3, 64),
    sent=os.write(3, b"request"),
    others=[refused(os.read, fd, 1) for fd in (0, other, 200)]
    + [refused(os.write, fd, b"x") for fd in (1, 2, other, 200)],
    vectors=[refused(os.readv, 3, [bytearray(1)]), refused(os.writev, 3, [b"x"])],
    positions=[refused(os.pread, 3, 1, 0), refused(os.pwrite, 3, b"x", 0)],
    moved=refused(os.dup2, 3, 4),
)
os._exit(0)
""",
    )
    assert (answers.pop("before"), answers.pop("sent")) == (b"before", 7)
    assert answers == {
        "others": [errno.EPERM] * 7,
        "vectors": [errno.EPERM] * 2,
        "positions": [errno.EPERM] * 2,
        "moved": errno.EPERM,
    }


@pytest.mark.parametrize("filter_", ["b''", "b'1234567'", "bytes(8 * 4097)", "bytes(8)"])
def test_a_filter_that_is_none_seals_nothing(tmp_path: Path, filter_: str) -> None:
    """Of no instructions, of half a one, of too many, of one that does not end."""
    program = f"""
try:
    _native.sandbox_seal({filter_})
except OSError as error:
    report(error=error.errno, pipe=len(os.pipe()))
os._exit(0)
"""
    assert run(tmp_path, program) == {"error": errno.EINVAL, "pipe": 2}
