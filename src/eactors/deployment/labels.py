"""Labels: what a secret actor says must not leave the enclaves, unless its source says why it may.

An actor class with ``secret = True`` may talk where no one else can listen: inside its enclave,
or over a channel that is encrypted for a peer who was attested. The untrusted side is no
enclave: what stays inside it lies open to the host all the same. Where a connector is
declared with ``declassify="reason"`` its actor may tell what it likes, and ``eactors check``
prints the reason; the word of one end says nothing of what the other may tell. Pools and stores
have no such word, as they cannot tell who reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from eactors.deployment.errors import DeploymentError
from eactors.deployment.model import UNTRUSTED
from eactors.errors import SourceError

if TYPE_CHECKING:
    from eactors.connector import Connector
    from eactors.deployment.plan import (
        ChannelEnd,
        Plan,
        PlannedActor,
        PlannedChannel,
        PlannedPool,
        PlannedService,
        PlannedStore,
    )


class Exposure(NamedTuple):
    """Why others may read a channel, what to do about it, and the line of the setting to blame."""

    why: str
    way_out: str
    line: int | None = None


def check_labels(plan: Plan) -> None:
    """Refuse a plan in which a secret actor could tell others what it knows.

    Raises:
        DeploymentError: Naming the actor, its connector or pool, and the ways out.
        SourceError: A label is not what a label can be.
    """
    for actor in plan.actors.values():
        _check_declared(actor)
    for channel in plan.channels:
        exposure = exposure_of(plan, channel)
        if exposure is not None:
            for end in channel.ends:
                _check_end(plan, channel, end, exposure)
    for service in plan.services:
        _check_service(plan, service)
    for pool in plan.pools:
        for actor in _secret(plan, pool.users):
            _check_pool(plan, pool, actor)
    for store in plan.stores:
        for actor in _secret(plan, store.users):
            _check_store(plan, store, actor)


def _secret(plan: Plan, users: tuple[str, ...]) -> list[PlannedActor]:
    return [plan.actors[user] for user in users if plan.actors[user].cls.secret]


def exposure_of(plan: Plan, channel: PlannedChannel) -> Exposure | None:
    """Why others may read what a channel carries; None if they cannot."""
    actors = [plan.actors[end.actor] for end in channel.ends]
    setting = next(
        (each for each in plan.deployment.channels if set(each.between) == {actor.name for actor in actors}),
        None,
    )
    outside = [repr(actor.name) for actor in actors if actor.enclave == UNTRUSTED]
    if len(outside) == 1:
        return Exposure(f"which is plain: {outside[0]} is untrusted", f"place {outside[0]} in an enclave")
    if outside:
        both = " and ".join(outside)
        return Exposure(f"which the host can read: {both} are untrusted", f"place {both} in enclaves")
    line = None if setting is None else setting.line
    if channel.protection == "plain":
        return Exposure("which is plain: its cipher is 'none'", "give its <channel> a cipher", line)
    if channel.exchange == "diffie-hellman":
        return Exposure(
            "which is encrypted for whoever answers: its key exchange is an insecure diffie-hellman",
            "give its <channel> another key-exchange",
            line,
        )
    return None


def declassified(plan: Plan, channel: PlannedChannel) -> dict[ChannelEnd, str]:
    """The reasons for which ends of secret actors may use a channel that others may read."""
    if exposure_of(plan, channel) is None:
        return {}
    reasons = {}
    for end in channel.ends:
        reason = _connector(plan, end).declassify
        if plan.actors[end.actor].cls.secret and reason is not None:
            reasons[end] = reason
    return reasons


def declassified_service(plan: Plan, service: PlannedService) -> str | None:
    """The reason for which a secret actor may use a system actor; None: there is nothing to declassify."""
    cls = plan.actors[service.actor].cls
    return cls.__eactors__.connectors[service.attribute].declassify if cls.secret else None


def _connector(plan: Plan, end: ChannelEnd) -> Connector:
    return plan.actors[end.actor].cls.__eactors__.connectors[end.attribute.partition(".")[0]]


def _check_declared(actor: PlannedActor) -> None:
    cls = actor.cls
    secret: object = cls.secret
    if not isinstance(secret, bool):
        raise SourceError(
            f"{cls.__name__}.secret is {secret!r}, which is no bool", hint="write secret = True, or delete it"
        )
    for attribute, connector in cls.__eactors__.connectors.items():
        reason: object = connector.declassify
        if reason is not None and not (isinstance(reason, str) and reason.strip()):
            raise SourceError(
                f"{cls.__name__}.{attribute}: declassify is {reason!r}, which is no reason",
                hint="say in words why what it sends may be known, or delete declassify",
            )


def _check_end(plan: Plan, channel: PlannedChannel, end: ChannelEnd, exposure: Exposure) -> None:
    cls = plan.actors[end.actor].cls
    if cls.secret and _connector(plan, end).declassify is None:
        raise DeploymentError(
            f"actor {end.actor!r} is secret, but {cls.__name__}.{end.attribute} is an end of the channel"
            f" {channel}, {exposure.why}",
            file=plan.deployment.file,
            line=exposure.line or _line(plan, end.actor),
            hint=f'{exposure.way_out}, or declare {cls.__name__}.{end.attribute} with declassify="reason"',
        )


def _check_service(plan: Plan, service: PlannedService) -> None:
    cls = plan.actors[service.actor].cls
    if cls.secret and cls.__eactors__.connectors[service.attribute].declassify is None:
        raise DeploymentError(
            f"actor {service.actor!r} is secret, but {cls.__name__}.{service.attribute} tells the"
            f" system actor {service.system!r}, which is the host's, all that it sends",
            file=plan.deployment.file,
            line=_line(plan, service.actor),
            hint=f'declare {cls.__name__}.{service.attribute} with declassify="reason", or let an actor that'
            " is not secret use it",
        )


def _check_pool(plan: Plan, pool: PlannedPool, actor: PlannedActor) -> None:
    if pool.kind == "private" and actor.enclave != UNTRUSTED:
        return
    setting = next((each for each in plan.deployment.pools if each.name == pool.name), None)
    asked = setting is not None and setting.kind == "public"
    if actor.enclave == UNTRUSTED:
        why = f"and {actor.name!r} is untrusted"
        way_out = f"place {actor.name!r} in an enclave, and with it all who use {pool.name!r}"
    else:
        why = "which is public"
        users = ", ".join(map(repr, pool.users))
        way_out = f"place all who use {pool.name!r} in one enclave ({users})"
        if asked:
            way_out += ' and delete kind="public"'
    raise DeploymentError(
        f"actor {actor.name!r} is secret, but {_uses(actor, pool)} is of the pool {pool.name!r}, {why}",
        file=plan.deployment.file,
        line=setting.line if setting is not None and asked else _line(plan, actor.name),
        hint=f"{way_out}, or let it use a pool of its own",
    )


def _check_store(plan: Plan, store: PlannedStore, actor: PlannedActor) -> None:
    if actor.enclave != UNTRUSTED and (store.kind == "private" or store.encryption != "none"):
        return
    setting = next((each for each in plan.deployment.stores if each.name == store.name), None)
    outside = [user for user in store.users if plan.actors[user].enclave == UNTRUSTED]
    if outside:
        who = " and ".join(map(repr, outside))
        why, way_out = f"which {who} may read outside of any enclave", f"place {who} in enclaves"
    else:
        why, way_out = "whose encryption is 'none'", 'give its <store> encryption="aes-gcm"'
    attribute = next(key for key, each in actor.cls.__eactors__.stores.items() if each.name == store.name)
    raise DeploymentError(
        f"actor {actor.name!r} is secret, but {actor.cls.__name__}.{attribute} is the store"
        f" {store.name!r}, {why}",
        file=plan.deployment.file,
        line=setting.line if setting is not None and not outside else _line(plan, actor.name),
        hint=f"{way_out}, or let it use a store of its own",
    )


def _uses(actor: PlannedActor, pool: PlannedPool) -> str:
    """The first of the actor's pools and mboxes that is, or carries nodes of, ``pool``."""
    declaration = actor.cls.__eactors__
    pools = [(attribute, each.name) for attribute, each in declaration.pools.items()]
    mboxes = [(attribute, each.pool.name) for attribute, each in declaration.mboxes.items()]
    attribute = next(attribute for attribute, name in [*pools, *mboxes] if name == pool.name)
    return f"{actor.cls.__name__}.{attribute}"


def _line(plan: Plan, actor: str) -> int | None:
    return next((each.line for each in plan.deployment.actors if each.name == actor), None)
