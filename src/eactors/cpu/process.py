"""The process of the software CPU: one control socket to the launcher, one socket per enclave.

Who asks is known by the socket that the request came through, which this process made
itself and handed to the enclave at its start; nothing in a request says who asks. A
request is answered before the next one is read, one per enclave and turn, so that an
enclave that floods its socket, or never reads, delays the others by one answer at most.

The root secret stays in this process, which nobody of the same user can trace or read.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from eactors import _native
from eactors.cpu.counters import Counters
from eactors.cpu.creation import Loader
from eactors.cpu.instructions import egetkey, ereport
from eactors.cpu.structures import TARGETINFO_SIZE, Refused
from eactors.errors import EActorsError
from eactors.state import secret_file, state_directory

if TYPE_CHECKING:
    from typing import Any

    from eactors.cpu.instructions import Secs
    from eactors.cpu.quoting import QuotingEnclave

EREPORT, EGETKEY, QUOTE, FILTER, COUNTER, ADVANCE = range(1, 7)
"""Requests of an enclave: the first byte; the operands follow."""

OK, REFUSED = b"\0", b"\1"
"""The first byte of an answer; the result, or words in ASCII, follow."""

LONGEST_REQUEST = 1024
LONGEST_CONTROL = 65536
_SECRET_SIZE = 32


class Cpu:
    """The CPU.

    Args:
        control: The socket to the launcher, which must have made it.
    """

    def __init__(self, control: socket.socket) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # its life is the launcher's, and no shorter
        credentials = control.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _native.sandbox_prepare(struct.unpack("3i", credentials)[0])
        self._control = control
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._loader = Loader()
        self._enclaves: dict[int, _Enclave] = {}
        self._key_id = os.urandom(32)
        self._filter = _native.sandbox_filter()
        self._root: bytes | None = None
        self._quoting: QuotingEnclave | None = None
        self._counters: Counters | None = None

    def run(self) -> None:
        """Serve until the launcher closes its end or dies."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._control.fileno():
                    if not self._serve_control():
                        return
                elif not self._enclaves[descriptor].serve(self):
                    self._forget(descriptor)

    def watch(self, enclave: _Enclave, events: int) -> None:
        """Wait for these events of an enclave's socket from now on."""
        self._poll.modify(enclave.socket, events)

    def _forget(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        self._enclaves.pop(descriptor).socket.close()

    def _serve_control(self) -> bool:
        """Answer one message of the launcher; False: there will be no more."""
        descriptors: list[int] = []
        try:
            message, descriptors, _, _ = socket.recv_fds(
                self._control, LONGEST_CONTROL, 1, socket.MSG_CMSG_CLOEXEC
            )
            if not message:
                return False
            self._control.send(json.dumps(self._answer(message, descriptors)).encode())
        except OSError:
            return False
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _answer(self, message: bytes, descriptors: list[int]) -> dict[str, Any]:
        try:
            request = json.loads(message)["create"]
            identity, folder, home = request["id"], Path(request["image"]), Path(request["home"])
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            return {
                "error": f"the launcher sent the CPU what it does not understand: {error!r}",
                "hint": None,
            }
        try:
            return {"id": identity, **self._create(folder, home, descriptors)}
        except EActorsError as error:
            return {"id": identity, "error": error.message, "hint": error.hint}
        except Exception as error:  # noqa: BLE001 - the other enclaves go on, whatever is wrong with this one
            words = str(error) if isinstance(error, OSError) else repr(error)
            return {"id": identity, "error": f"the image {folder} cannot be started: {words}", "hint": None}

    def _create(self, folder: Path, home: Path, descriptors: list[int]) -> dict[str, Any]:
        if self._root is None:
            self._root = _root_secret()
        secs = self._loader.load(folder, home)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs, open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a descriptor
                errors = descriptors[0] if descriptors else nowhere.fileno()
                pid = self._loader.start(home, errors, theirs)
        except OSError:
            ours.close()
            raise
        ours.setblocking(False)  # noqa: FBT003 - its name says what
        self._enclaves[ours.fileno()] = _Enclave(ours, secs)
        self._poll.register(ours, select.POLLIN)
        return {"pid": pid, "measurement": secs.measurement.hex(), "signer": secs.signer.hex()}

    def execute(self, secs: Secs, request: bytes) -> bytes:
        """Execute an enclave's request.

        Raises:
            Refused: The request is malformed, or asks for what this enclave may not have.
            EActorsError: This installation lacks what a quote needs.
        """
        assert self._root is not None
        code, operands = request[0], request[1:]
        if len(request) > LONGEST_REQUEST:
            raise Refused("the request is too long")
        if code == EREPORT:
            target, data = operands[:TARGETINFO_SIZE], operands[TARGETINFO_SIZE:]
            return ereport(self._root, self._key_id, secs, target, data)
        if code == EGETKEY:
            return egetkey(self._root, secs, operands)
        if code == QUOTE:
            return self._quoter().quote(secs, operands)
        if code == FILTER and not operands:
            return self._filter
        if code == COUNTER:
            return self._counting().read(secs, operands)
        if code == ADVANCE:
            return self._counting().advance(secs, operands)
        raise Refused("the CPU has no such instruction")

    def _quoter(self) -> QuotingEnclave:
        if self._quoting is None:
            # Certificates need a large library, and few applications need certificates.
            from eactors.cpu.quoting import QuotingEnclave  # noqa: PLC0415

            self._quoting = QuotingEnclave()
        return self._quoting

    def _counting(self) -> Counters:
        if self._counters is None:
            self._counters = Counters(state_directory() / "counters")
        return self._counters


class _Enclave:
    """One enclave's end: its identity, its socket, and an answer that it has not taken yet."""

    def __init__(self, end: socket.socket, secs: Secs) -> None:
        self.socket = end
        self._secs = secs
        self._pending: bytes | None = None

    def serve(self, cpu: Cpu) -> bool:
        """Read and answer one request, or hand over an old answer; False if it has gone."""
        try:
            if self._pending is None:
                request = self.socket.recv(LONGEST_REQUEST + 1)
                # The end of the stream; an empty message looks alike and is as good a farewell.
                if not request:
                    return False
                self._pending = _answer(cpu, self._secs, request)
                self._hand_over()
            else:
                self._hand_over()
                cpu.watch(self, select.POLLIN)
        except BlockingIOError:
            if self._pending is not None:
                cpu.watch(self, select.POLLOUT)
        except OSError:
            return False
        return True

    def _hand_over(self) -> None:
        assert self._pending is not None
        self.socket.send(self._pending)
        self._pending = None


def _answer(cpu: Cpu, secs: Secs, request: bytes) -> bytes:
    try:
        return OK + cpu.execute(secs, request)
    except (Refused, EActorsError) as error:
        words = str(error)
    except Exception as error:  # noqa: BLE001 - damaged files of this installation; the others go on
        words = f"the CPU has failed: {error!r}"
    return REFUSED + words.encode("ascii", "replace")


def _root_secret() -> bytes:
    path = state_directory() / "cpu-secret"
    secret = secret_file(path, lambda: os.urandom(_SECRET_SIZE))
    if len(secret) != _SECRET_SIZE:
        raise EActorsError(
            f"{path} is damaged: it has {len(secret)} bytes instead of {_SECRET_SIZE}",
            hint="remove it to get a new simulated CPU; what was sealed under the old one is lost",
        )
    return secret
