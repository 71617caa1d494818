"""Which connectors pair up to channels, and how each channel is carried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eactors.connectors import Connectors
from eactors.deployment import plan as planned
from eactors.deployment.encryption import Encryptions
from eactors.deployment.errors import DeploymentError
from eactors.deployment.hints import did_you_mean
from eactors.deployment.plan import ChannelEnd, PlannedChannel
from eactors.errors import SourceError
from eactors.placement import Placement
from eactors.services.base import Service

if TYPE_CHECKING:
    from eactors.connector import Connector
    from eactors.deployment.encryption import Encryption
    from eactors.deployment.model import ChannelSettings, Deployment
    from eactors.deployment.plan import Carrier, PlannedActor, PlannedEnclave

Pair = tuple[str, str]


def plan_channels(
    deployment: Deployment, actors: dict[str, PlannedActor], enclaves: dict[int, PlannedEnclave]
) -> tuple[PlannedChannel, ...]:
    """Pair the connectors of the placed actors.

    Raises:
        DeploymentError: A connector's peer is not placed, or does not connect back, or the
            deployment describes a channel that no connectors make, or asks for encryption that
            it cannot have.
    """
    towards: dict[Pair, list[str]] = {}
    for actor in actors.values():
        placement = Placement(actor.name, actor.index, actors)
        for attribute, connector in actor.cls.__eactors__.connectors.items():
            if isinstance(connector, Service):
                continue
            if isinstance(connector, Connectors):
                for peer in _family(deployment, actor, attribute, connector, placement):
                    towards.setdefault((actor.name, peer), []).append(f"{attribute}.{peer}")
                continue
            named = _peer_name(actor, attribute, connector, placement)
            peer = _resolve(deployment, actors, actor, attribute, named)
            towards.setdefault((actor.name, peer), []).append(attribute)
    settings = {frozenset(entry.between): entry for entry in deployment.channels}
    _refuse_strays(deployment, towards)
    encryptions = Encryptions(deployment, enclaves)
    channels: list[PlannedChannel] = []
    for (one, other), attributes in towards.items():
        back = towards.get((other, one), [])
        if len(attributes) > len(back):
            raise _one_sided(deployment, actors, one, other, attributes[len(back)])
        if (other, one) in list(towards)[: list(towards).index((one, other))]:
            continue
        setting = settings.get(frozenset((one, other)))
        encryption = encryptions.decide(actors[one], actors[other], setting)
        _check_lives(deployment, enclaves, actors[one], actors[other])
        carrier = _carrier(actors[one], actors[other])
        for mine, theirs in zip(attributes, back, strict=False):
            ends = (ChannelEnd(one, mine), ChannelEnd(other, theirs))
            channels.append(_channel(len(channels), ends, carrier, encryption, setting))
    return tuple(channels)


def _family(
    deployment: Deployment,
    actor: PlannedActor,
    attribute: str,
    connectors: Connectors,
    placement: Placement,
) -> list[str]:
    peers = [peer for peer in placement.family(connectors.peer) if peer != actor.name]
    if not peers:
        raise DeploymentError(
            f"{actor.cls.__name__}.{attribute} of actor {actor.name!r} connects it to the family"
            f" {connectors.peer!r}, of which none is placed",
            file=deployment.file,
            line=_line(deployment, actor.name),
            hint=f"place {connectors.peer}1, or give the enclave of {connectors.peer!r} instances",
        )
    return peers


def _peer_name(actor: PlannedActor, attribute: str, connector: Connector, placement: Placement) -> str:
    if isinstance(connector.peer, str):
        return connector.peer
    where = f"{actor.cls.__name__}.{attribute} of actor {actor.name!r}"
    try:
        named = connector.peer(placement)
    except Exception as error:
        raise SourceError(
            f"{where}: computing its peer raised {type(error).__name__}: {error}",
            hint="the function must name a placed actor in every deployment of the source",
        ) from error
    if not isinstance(named, str):
        raise SourceError(f"{where}: its peer was computed to be {named!r}, which is no name")
    return named


def _resolve(
    deployment: Deployment, actors: dict[str, PlannedActor], actor: PlannedActor, attribute: str, peer: str
) -> str:
    """The placed actor that a connector means: by its name, or as the only one of its class."""
    if peer in actors and peer != actor.name:
        return peer
    instances = [
        other.name for other in actors.values() if other.cls.__name__ == peer and other.name != actor.name
    ]
    if len(instances) == 1:
        return instances[0]
    connector = f"{actor.cls.__name__}.{attribute} of actor {actor.name!r}"
    if peer == actor.name:
        message, hint = f"{connector} connects the actor to itself", "an actor can keep what it tells itself"
    elif instances:
        message = f"{connector} names the class {peer!r}, of which there are {', '.join(instances)}"
        hint = "name one of the actors, or compute the name: Connector(lambda placement: ...)"
    else:
        message = f"{connector} names {peer!r}, which is not placed"
        known = [name for name in actors if name != actor.name]
        hint = did_you_mean(peer, known, f"place {peer!r} on a worker")
    raise DeploymentError(message, file=deployment.file, line=_line(deployment, actor.name), hint=hint)


def _one_sided(
    deployment: Deployment, actors: dict[str, PlannedActor], one: str, other: str, attribute: str
) -> DeploymentError:
    mine, theirs = actors[one].cls.__name__, actors[other].cls.__name__
    return DeploymentError(
        f"{mine}.{attribute} connects {one!r} to {other!r}, but {theirs} has no connector back",
        file=deployment.file,
        line=_line(deployment, one),
        hint=f"declare one in {theirs}: {one.lower()} = Connector({one!r})",
    )


def _refuse_strays(deployment: Deployment, towards: dict[Pair, list[str]]) -> None:
    for entry in deployment.channels:
        if entry.between not in towards and entry.between[::-1] not in towards:
            one, other = entry.between
            raise DeploymentError(
                f"there is no channel between {one!r} and {other!r}: neither has a connector to the other",
                file=deployment.file,
                line=entry.line,
                hint="remove this <channel>, or declare the connectors",
            )


def _check_lives(deployment: Deployment, enclaves: dict[int, PlannedEnclave], *pair: PlannedActor) -> None:
    """What comes again has channels that are opened anew; one to another server cannot be."""
    apart = len({actor.server for actor in pair}) > 1
    for actor in pair:
        enclave = enclaves.get(actor.enclave)
        title = repr(actor.name) if actor.life.may_begin_again else None
        if enclave is not None and enclave.life.may_begin_again:
            title = enclave.title
        if apart and title is not None:
            one, other = (repr(each.name) for each in pair)
            raise DeploymentError(
                f"the channel between {one} and {other} goes to another server, but {title} is"
                " started on demand or anew",
                file=deployment.file,
                line=_line(deployment, actor.family or actor.name),
                hint="let it live as long as the application, or talk through an actor of its own server",
            )


def _carrier(one: PlannedActor, other: PlannedActor) -> Carrier:
    if one.server != other.server:
        return "network"
    return "private" if one.enclave == other.enclave else "public"


def _channel(
    number: int,
    ends: tuple[ChannelEnd, ChannelEnd],
    carrier: Carrier,
    encryption: Encryption,
    setting: ChannelSettings | None,
) -> PlannedChannel:
    size = (setting.message_size if setting else None) or planned.DEFAULT_MESSAGE_SIZE
    node = (setting.node_size if setting else None) or min(size, planned.DEFAULT_NODE_SIZE)
    capacity = (setting.capacity if setting else None) or planned.DEFAULT_CAPACITY
    cipher, exchange = encryption
    return PlannedChannel(number, ends, carrier, cipher, exchange, capacity, size, node)


def _line(deployment: Deployment, actor: str) -> int | None:
    return next((entry.line for entry in deployment.actors if entry.name == actor), None)
