"""Vacancies: the places of an enclave's actors that are started on demand.

The launcher says by a word in shared memory that such an actor is to live, or to end. All else
is in this enclave's plan: what it executes, and with whom it talks.
"""

from __future__ import annotations

from functools import partial

from eactors import _native
from eactors.enclave.reopening import reopened_of
from eactors.enclave.vacancy import Vacancy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from eactors.actor import Actor
    from eactors.enclave.assembly import Assembly
    from eactors.enclave.entry import Enclave


class Vacancies:
    """Makes the places, and knows who is at the ends of the private channels of those who come and go.

    Args:
        enclave: The enclave, not sealed yet.
        assembly: Its workers, and those actors that live as long as it.

    Attributes:
        enclave: The first.
        assembly: The second.
    """

    def __init__(self, enclave: Enclave, assembly: Assembly) -> None:
        self.enclave, self.assembly = enclave, assembly
        self._epochs: dict[int, _native.Epoch] = {}
        staying = iter(assembly.actors)
        contexts = zip(assembly.workers, enclave.plan["workers"], enclave.launch["workers"], strict=True)
        for worker, entry, place in contexts:
            for each in entry["actors"]:
                _, actor = next(staying)
                for epoch, _, connector in self.private(each):
                    if "reopens" in connector:
                        epoch.enter(connector["side"])
                self.join(actor, each)
            for each in entry.get("vacancies", ()):
                self._load(each)
                word = enclave.launch["vacancies"][each["name"]]
                _native.add_vacancy(worker, word, Vacancy(self, worker, place, each).look)

    def _load(self, entry: dict[str, Any]) -> None:
        """Load the code of its channels and stores now, for a sealed enclave loads none."""
        declaration = getattr(self.assembly.module, entry["class"]).__eactors__
        for declared in (*declaration.connectors.values(), *declaration.stores.values()):
            declared.codec()
        for exchange in {each["exchange"] for each in entry["connectors"].values() if "exchange" in each}:
            from eactors.attestation.exchange import class_of  # noqa: PLC0415 - not for plain channels

            class_of(exchange)

    def join(self, actor: Actor, entry: dict[str, Any]) -> None:
        """Have an actor's private channels to those who come and go opened anew when they do."""
        for epoch, bell, each in self.private(entry):
            if "reopens" in each:
                attribute, _, peer = each["attribute"].partition(".")
                live = vars(actor)[attribute]
                reopened = reopened_of(
                    type(actor).__eactors__.connectors[attribute], type(actor), each["peer"]
                )
                connector = live[peer] if peer else live
                attach = partial(
                    self._attach, connector, each, self.enclave.launch["bells"][actor.name], bell
                )
                epoch.reopen(connector, each["side"], self.enclave.region, bell, attach, reopened)

    def _attach(self, connector: _native.Connector, each: dict[str, Any], *end: Any) -> None:
        """Attach a connector to whatever the channel is now; whether it opens thereby is all the same."""
        *bells, _ = end
        channel = self.assembly.channels[each["private"]]
        _native.attach_private(connector, self.enclave.region, channel, each["side"], *bells)

    def private(self, entry: dict[str, Any]) -> Iterator[tuple[_native.Epoch, int, dict[str, Any]]]:
        """An actor's channels inside the enclave: who is there, the peer's bell, and what the plan says."""
        for attribute, each in entry["connectors"].items():
            if "private" in each:
                epoch = self._epochs.setdefault(each["private"], _native.Epoch())
                yield epoch, self.enclave.launch["bells"][each["peer"]], {"attribute": attribute, **each}
