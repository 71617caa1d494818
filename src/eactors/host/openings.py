"""Openings: the channels in shared memory whose ends may go, and come again.

When an enclave has ended, the nodes that it held go back to their pools, and its channels'
epochs are counted up, to an even number: the other ends take what it has still sent, and forget
it. Before it is started anew they are counted up again, and each living peer has to say that
it has met the new epoch, with both mboxes empty. The newcomer is told that epoch at its start.
So it finds nothing of its predecessor's; and if it did, its key exchange would fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from eactors import _native
from eactors.deployment.model import SYSTEM
from eactors.host.layout import HOST_NODES, HOST_PAYLOAD

if TYPE_CHECKING:
    from eactors.host.deployed import Deployed
    from eactors.host.layout import ChannelPlace, Layout, PoolPlace


Party = int | str
"""Who comes and goes as one: the id of an enclave, or the name of an actor that is started on demand."""

_Pool = tuple[int, int, int, tuple[tuple[int, int], ...]]
"""Offset, nodes, payload, and the mboxes that carry its nodes: offset and capacity."""


@dataclass(frozen=True, slots=True)
class _Channel:
    id: int
    place: ChannelPlace
    parties: tuple[Party, Party]
    enclaves: tuple[int, int]
    bells: tuple[int, int]


class Openings:
    """The channels of a run that may be reopened.

    Args:
        region: The shared memory, just laid out.
        layout: Where everything lies in it.
        deployed: What there is.
    """

    def __init__(self, region: _native.Region, layout: Layout, deployed: Deployed) -> None:
        self._region, self._layout = region, layout
        coming = {enclave for enclave, life in deployed.lives.items() if life.may_begin_again}
        self._channels = [
            each
            for each in self._all(deployed)
            if coming & set(each.enclaves) or deployed.actor_lives.keys() & set(each.parties)
        ]
        self._pools = [
            (layout.pools[pool.name], {deployed.actors[user] for user in pool.users})
            for pool in deployed.pools
            if pool.name in layout.pools
        ]
        self._present: set[Party] = set()
        self._running: set[Party] = set()
        self._unburied: set[int] = set()
        for channel in self._channels:
            for word in self._words(channel):
                _native.set_word(region, word, 0)

    def _all(self, deployed: Deployed) -> list[_Channel]:
        layout = self._layout
        channels = []
        for channel in deployed.channels:
            if channel.carrier == "public":
                one, other = (layout.context_of(end.actor) for end in channel.ends)
                bells = one.bell, other.bell
                homes = one.enclave, other.enclave
                first, second = (deployed.party_of(end.actor) for end in channel.ends)
                place = layout.channels[channel.id]
                channels.append(_Channel(channel.id, place, (first, second), homes, bells))
        for service in deployed.services:
            if service.id in layout.channels and layout.system is not None:
                client = layout.context_of(service.actor)
                bells = client.bell, layout.system.bell
                parties, homes = (deployed.party_of(service.actor), SYSTEM), (client.enclave, SYSTEM)
                channels.append(_Channel(service.id, layout.channels[service.id], parties, homes, bells))
        return channels

    def _of(self, party: Party) -> list[tuple[_Channel, int]]:
        """The channels of a party, and its side of each."""
        return [(each, each.parties.index(party)) for each in self._channels if party in each.parties]

    @staticmethod
    def _words(channel: _Channel) -> tuple[int, int, int]:
        """Where the epoch of a channel lies, and what each side has met."""
        met = channel.place.shared + _native.MET_WORD
        return channel.place.shared + _native.EPOCH_WORD, met, met + 4

    def epochs(self, enclave: int) -> dict[int, int]:
        """The epochs of the channels of an enclave, by id; it is told them at its start."""
        own = [each for each in self._channels if enclave in each.enclaves]
        return {each.id: _native.word(self._region, self._words(each)[0]) for each in own}

    def enter(self, party: Party) -> None:
        """Somebody is going to be started: have the peers open their ends of the channels."""
        self._present.add(party)
        for channel, side in self._of(party):
            epoch, *met = self._words(channel)
            now = _native.word(self._region, epoch)
            if channel.parties[1 - side] in self._present:
                now += 1 - now % 2
            _native.set_word(self._region, met[side], now)
            if channel.parties[1 - side] not in self._running:
                _native.set_word(self._region, met[1 - side], now)
            _native.set_word(self._region, epoch, now)
            self._region.ring(channel.bells[1 - side])

    def is_ready(self, party: Party) -> bool:
        """Whether all peers have opened their ends, so that whoever enters can be started."""
        if party in self._unburied:
            return False
        for channel, side in self._of(party):
            epoch, *met = self._words(channel)
            if channel.parties[1 - side] in self._running and _native.word(
                self._region, met[1 - side]
            ) != _native.word(self._region, epoch):
                return False
        return True

    def started(self, party: Party) -> None:
        """It is there."""
        self._running.add(party)

    def leave(self, party: Party) -> None:
        """It has ended, or will not be started after all. An actor has given back what it held."""
        self._present.discard(party)
        if party in self._running and isinstance(party, int):
            self._unburied.add(party)
        self._running.discard(party)
        self.tend()
        for channel, side in self._of(party):
            epoch = self._words(channel)[0]
            now = _native.word(self._region, epoch)
            _native.set_word(self._region, epoch, now + now % 2)
            self._region.ring(channel.bells[1 - side])

    def tend(self) -> None:
        """Take back what those who have ended held. What others move meanwhile takes several goes."""
        for enclave in list(self._unburied):
            if self._recover(enclave):
                self._unburied.discard(enclave)
                for context in self._layout.contexts:
                    if context.enclave == enclave:
                        for word in (
                            context.participant + _native.HAZARD_WORD,
                            context.participant + _native.STOP_WORD,
                            context.bell + _native.SLEEPING_WORD,
                        ):
                            _native.set_word(self._region, word, 0)

    def _recover(self, enclave: int) -> bool:
        layout = self._layout
        places: list[_Pool] = [
            (layout.host_pool, HOST_NODES, HOST_PAYLOAD, ((layout.host_mbox, HOST_NODES),))
        ]
        places += [_pool(place) for place, homes in self._pools if enclave in homes]
        for channel in self._channels:
            if enclave not in channel.enclaves:
                continue
            place = channel.place
            mboxes = tuple((mbox, place.capacity) for mbox in place.mboxes)
            nodes = _native.channel_nodes(place.capacity)
            places.append((place.pool, nodes, place.payload, mboxes))
        census = self._census()
        done = True
        for pool in places:
            # All of them, though one is not through yet.
            done &= _native.recover(self._region, *pool, census)[1]
        return done

    def _census(self) -> tuple[tuple[int, bool], ...]:
        layout = self._layout
        everyone = {
            context.id: (context.participant, context.enclave not in self._running)
            for context in layout.contexts
        }
        everyone[layout.host_id] = (layout.host_participant, False)
        if layout.system is not None:
            everyone[layout.system.id] = (layout.system.participant, False)
        return tuple(everyone[number] for number in sorted(everyone))


def _pool(place: PoolPlace) -> _Pool:
    mboxes = tuple((offset, place.capacity) for offset in place.mboxes.values())
    return place.offset, place.nodes, place.payload, mboxes
