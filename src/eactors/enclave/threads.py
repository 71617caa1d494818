"""The threads of an enclave with several workers: one for each but the first."""

from __future__ import annotations

from _thread import allocate_lock, start_new_thread

from eactors import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eactors.enclave.entry import Enclave


class WorkerThread:
    """Made before the enclave is sealed, and held until after it.

    Args:
        enclave: Whose worker it is.
        worker: What it executes.
        index: The worker's place in the plan.
    """

    def __init__(self, enclave: Enclave, worker: _native.Worker, index: int) -> None:
        self._pinned, self._start, self._done = allocate_lock(), allocate_lock(), allocate_lock()
        for lock in (self._pinned, self._start, self._done):
            lock.acquire()
        start_new_thread(self._run, (enclave, worker, index))

    def _run(self, enclave: Enclave, worker: _native.Worker, index: int) -> None:
        place = enclave.launch["workers"][index]
        _native.adopt(enclave.region, *place["participant"])
        enclave.pin(index)
        self._pinned.release()
        with self._start:
            worker.run()
        enclave.finish_lines()
        self._done.release()

    def wait_until_pinned(self) -> None:
        """Wait until it runs on the CPUs of its worker."""
        self._pinned.acquire()

    def go(self) -> None:
        """Let it execute."""
        self._start.release()

    def join(self, seconds: float) -> bool:
        """Wait for its end; whether it has come in time."""
        return self._done.acquire(timeout=seconds)
