"""The counters of stores that detect rollbacks: docs/design/rollback.md has the protocol, and its reasons.

A store has made so many *steps*, and has the mark of the last of them: the version that it made,
and eight random bytes. A step is a commit first; when that is durable, the platform's counter is
advanced to its number and mark. So a store is what it should be, or has made one step more,
whose counter nobody has come to advance yet: then whoever finds it does.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from eactors import _native
from eactors.attestation.key_request import TO_MEASUREMENT, TO_SIGNER
from eactors.store.errors import RollbackDetected, StoreCounterLost, StoreError, StoreFull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors import _store
    from eactors.enclave.trust import Trust
    from eactors.platform.base import Platform

_ANYONE = 0
_POLICIES = {"measurement": TO_MEASUREMENT, "signer": TO_SIGNER, "shared": _ANYONE}
_NUMBER = 8
_NEW = bytes(24)
"""The counter of a store that has made no step."""
_ATTEMPTS = 1000
_LOOK, _STEP = 1.0, 10.0
"""Seconds after which a store that is in use is looked at, and makes a step if there is something new."""
_OPENING, _ENDING, _NAP = 30.0, 1.0, 0.001


class StoreCounter:
    """The counter of one store, in one enclave.

    Args:
        name: The store's name.
        store: The store.
        platform: What has the counter.
        policy: Who may use it besides this enclave: that of the store's key.
        secret: What only those know who may use the counter of a shared key: that key.
        sync: Asks the host to sync; the others see in the store when it has.
    """

    def __init__(
        self,
        name: str,
        store: _store.Store,
        platform: Platform,
        policy: str,
        secret: bytes,
        sync: Callable[[], None],
    ) -> None:
        self._name, self._store, self._platform, self._sync = name, store, platform, sync
        self._policy = _POLICIES[policy]
        self._label = _native.sha256(b"eactors store counter 1", store.id, secret)
        self._asked, self._again = 0, 0.0  # up to which version the host is to sync, and when to ask again
        self._safe = 0  # the version that is protected
        self._next = 0.0  # when to look again
        self._since = time.monotonic()  # when nothing was new, or a step was made

    def open(self) -> None:
        """See that the store is not an old one, and make any other copy of it an old one.

        Raises:
            RollbackDetected: It is an old one, or another copy was opened meanwhile.
            StoreCounterLost: There is no telling.
            StoreError: The host does not sync it.
        """
        version, _, _ = self._store.progress()
        if not self._wait(version + 1, _OPENING):
            raise StoreError(
                f"store {self._name!r}: its opening is not on the disk after {_OPENING:.0f} s",
                hint="the launcher says what its file's disk refuses",
            )

    def close(self) -> None:
        """Protect all that was committed; if the host is too slow, it is as if this enclave had been killed.

        Raises:
            RollbackDetected: The store is an old one, or has become two.
        """
        with suppress(StoreFull):
            self._wait(self._store.version, _ENDING)

    def protect(self, wanted: int) -> bool:
        """Get nearer to where no state without this version is accepted; whether it is so.

        Raises:
            RollbackDetected: The store is an old one, or has become two.
            StoreCounterLost: The counter is none any more, or has been put back.
        """
        for _ in range(_ATTEMPTS):
            told, _, here = self._look()
            if told == here:
                self._note(_version(here))
                if self._safe >= wanted:
                    return True
                self._store.step(_number(here), os.urandom(8))
            elif _version(here) > self._store.statistics()["durable"]:
                self._ask(_version(here))
                return False
            else:
                self._platform.advance(self._policy, self._label, told, here)
        return False

    def tend(self) -> bool:
        """Look after it, once a second at most; whether something is new and not protected.

        Raises:
            RollbackDetected: The store is an old one, or has become two.
            StoreCounterLost: The counter is none any more, or has been put back.
        """
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _LOOK
            told, version, here = self._look()
            if told == here:
                self._note(_version(here))
            if self._safe == version:
                self._since = now
            elif now > self._since + _STEP:
                with suppress(StoreFull):  # it has room for nothing new, which is the writer's to notice
                    self.protect(version)
        return self._store.version > self._safe

    def _note(self, version: int) -> None:
        if version > self._safe:
            self._safe, self._since = version, time.monotonic()

    def _ask(self, version: int) -> None:
        """Have the host sync, once for each version, and again should its disk have been full."""
        now = time.monotonic()
        if version > self._asked or now >= self._again:
            self._asked, self._again = version, now + _LOOK
            self._sync()

    def _wait(self, wanted: int, patience: float) -> bool:
        deadline = time.monotonic() + patience
        while not self.protect(wanted):
            if time.monotonic() > deadline:
                return False
            time.sleep(_NAP)
        return True

    def _look(self) -> tuple[bytes, int, bytes]:
        """The counter, the store's version, and what the counter is or is to be advanced to."""
        for _ in range(_ATTEMPTS):
            # In this order: what the counter was advanced to was in the store before.
            told = self._platform.counter(self._policy, self._label)
            version, steps, mark = self._store.progress()
            here = steps.to_bytes(_NUMBER, "little") + mark
            if not told:
                if steps:
                    raise self._lost(steps, "is not there")
                self._platform.advance(self._policy, self._label, b"", _NEW)
            elif steps < _number(told) or (steps == _number(told) and here != told):
                raise RollbackDetected(
                    f"store {self._name!r}: version {version} of it lacks version {_version(told)}, which its"
                    " counter protects: an old copy was put back, or another is in use",
                    hint="use the newest copy, and in one place; an old one cannot be used again",
                )
            elif steps <= _number(told) + 1:
                return told, version, here
        raise self._lost(steps, f"has counted {_number(told) if told else 0}")

    def _lost(self, steps: int, what: str) -> StoreCounterLost:
        return StoreCounterLost(
            f"store {self._name!r} has made {steps} steps, and its counter {what}",
            hint="use it on the machine where it was used last, and bring back the folder `counters` of that"
            " machine's state directory; or move the store's file away to begin anew",
        )


class StoreCounters:
    """Has the counters of one enclave's stores.

    Args:
        platform: What counters come from.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def open(
        self, name: str, store: _store.Store, policy: str, secret: bytes, sync: Callable[[], None]
    ) -> StoreCounter:
        """The counter of a store, which is open then; for the arguments see `StoreCounter`."""
        counter = StoreCounter(name, store, self._platform, policy, secret, sync)
        counter.open()
        return counter


def _number(value: bytes) -> int:
    return int.from_bytes(value[:_NUMBER], "little")


def _version(value: bytes) -> int:
    """Which version made the step."""
    return int.from_bytes(value[_NUMBER : 2 * _NUMBER], "little")


def make(trust: Trust) -> StoreCounters:
    """The counters of this enclave's stores."""
    return StoreCounters(trust.platform)
