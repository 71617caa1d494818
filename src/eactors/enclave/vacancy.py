"""Vacancy: the place of one actor that is started on demand, in each of its lives.

An actor is made anew for each life, and so are its connectors: with a fresh key exchange where a
channel leaves the enclave, with nothing left in it where it does not. Asked to end, an actor
may still send what waits in its outbox, and an `AsyncActor` clean up; asked once more, it is
dropped as it stands.
"""

from __future__ import annotations

from eactors import _native
from eactors.actor import Actor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from eactors.enclave.vacancies import Vacancies


class Vacancy:
    """One place.

    Args:
        vacancies: All of the enclave.
        worker: Who executes whoever has it.
        place: What the launcher says of that worker.
        entry: What the plan says of the actor.
    """

    def __init__(
        self, vacancies: Vacancies, worker: _native.Worker, place: dict[str, Any], entry: dict[str, Any]
    ) -> None:
        self._all, self._enclave = vacancies, vacancies.enclave
        self._worker, self._place, self._entry = worker, place, entry
        self._actor: Actor | None = None
        self._life = self._last = self._count = 0
        self._asked = False
        self._nobody = Actor.__new__(Actor)
        self._nobody.name = entry["name"]

    def look(self, count: int, over: bool) -> Actor | list[_native.Epoch] | None:  # noqa: FBT001 - what C calls
        """The launcher's word is ``count``, or the actor is over, or its peers have met its opening.

        Returns:
            Who has the place now; or what is to be met before somebody has.
        """
        if self._life:
            if over or (count != self._count and (self._asked or self._actor is None)):
                self._leave()
            elif count != self._count:
                self._ask()
        elif count % 2 == 0:
            self._tell("left", count - 1)  # it was to end before it had begun
        self._count = count
        if not self._life and count % 2 == 1 and count != self._last:
            self._enter(count)
        if not self._life or self._actor is not None:
            return self._actor
        unmet = [epoch for epoch, _, _ in self._all.private(self._entry) if not epoch.is_met()]
        return unmet or self._begin()

    def _tell(self, what: str, life: int) -> None:
        self._enclave.link.event(what, actor=self._entry["name"], life=life)

    def _enter(self, life: int) -> None:
        """Have the peers inside the enclave open fresh channels; those outside have done so."""
        self._life = self._last = life
        for epoch, bell, each in self._all.private(self._entry):
            number = each["private"]
            capacity = self._enclave.plan["private_channels"][number]
            self._all.assembly.channels[number] = _native.PrivateChannel(capacity)
            epoch.enter(each["side"])
            self._enclave.region.ring(bell)

    def _begin(self) -> Actor | None:
        """Make the actor and its connectors, and construct it."""
        channels = self._enclave.launch["channels"]
        for each in self._entry["connectors"].values():
            if "channel" in each:
                where = channels[str(each["channel"])]
                where["epoch"] = _native.meet(self._enclave.region, where["shared"], each["side"])
        try:
            actor = self._actor = self._all.assembly.seat(self._worker, self._place, self._entry)
            self._all.join(actor, self._entry)
            self._worker.construct(actor, actor.__init__)  # type: ignore[misc]
            self._worker.construct(actor, actor.constructor)
        except BaseException as error:  # noqa: BLE001 - whatever the application's source raises
            self._enclave.report("failed", self._actor or self._nobody, error)
            self._leave()
        else:
            self._tell("began", self._life)
        return self._actor

    def _ask(self) -> None:
        """Let it end by itself."""
        actor, self._asked = self._actor, True
        assert actor is not None
        (actor._end if _is_async(actor) else actor.stop)()  # type: ignore[attr-defined] # noqa: SLF001

    def _leave(self) -> None:
        """Drop the actor, if there is one, and whatever it had."""
        if self._actor is not None:
            _native.vacate(self._worker, self._actor)
            if _is_async(self._actor):
                self._actor._drop()  # type: ignore[attr-defined] # noqa: SLF001
        for epoch, bell, each in self._all.private(self._entry):
            epoch.leave(each["side"])
            self._enclave.region.ring(bell)
        self._tell("left", self._life)
        self._life, self._actor, self._asked = 0, None, False


def _is_async(actor: Actor) -> bool:
    """Whether it is an `AsyncActor`, of whose class most enclaves have nothing."""
    return getattr(actor, "ends_when_asked", False)
