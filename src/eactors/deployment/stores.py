"""Which stores there are, where each lives, and who uses it.

What the source declares and the deployment does not name has defaults. Who protects it, and
with which key, is for ``store_keys``.
"""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import TYPE_CHECKING

from eactors.deployment import limits
from eactors.deployment.errors import DeploymentError
from eactors.deployment.hints import did_you_mean, quoted
from eactors.deployment.plan import DEFAULT_STORE_SIZE, PlannedStore
from eactors.deployment.sizes import STORE_BLOCK, size_words
from eactors.deployment.store_keys import StoreKeys
from eactors.deployment.twins import refuse_twins
from eactors.errors import SourceError

if TYPE_CHECKING:
    from eactors.deployment.model import Deployment, StoreKind, StoreSettings
    from eactors.deployment.plan import PlannedActor, PlannedEnclave


def check_stores(deployment: Deployment) -> None:
    """Refuse stores whose settings contradict each other, or those of another store."""
    refuse_twins(
        deployment.file,
        ((each.name, each.line, f"store {quoted(each.name)} is set twice") for each in deployment.stores),
        "delete one of the two",
    )
    for setting in deployment.stores:
        _check_size(deployment, setting)
        _check_file(deployment, setting)
    _refuse_one_file(deployment)


def _check_size(deployment: Deployment, setting: StoreSettings) -> None:
    if setting.size is not None and setting.size not in limits.STORE_SIZES:
        least, most = limits.STORE_SIZES.start, limits.STORE_SIZES.stop - 1
        raise _refusal(
            deployment,
            setting,
            f"cannot have a size of {size_words(setting.size)}",
            f"write a size from {size_words(least)} to {size_words(most)}",
        )


def _check_file(deployment: Deployment, setting: StoreSettings) -> None:
    if setting.kind == "persistent" and setting.file is None:
        raise _refusal(
            deployment,
            setting,
            "is persistent, but has no file",
            f'say where it is kept: file="{setting.name}.store"',
        )
    if setting.kind != "persistent" and setting.file is not None:
        what = "does not say that it is persistent" if setting.kind is None else f"is {setting.kind}"
        raise _refusal(
            deployment,
            setting,
            f"has the file {quoted(setting.file)}, but {what}",
            'write kind="persistent", or delete file',
        )


def _refuse_one_file(deployment: Deployment) -> None:
    seen: dict[str, StoreSettings] = {}
    for setting in deployment.stores:
        if setting.file is None:
            continue
        first = seen.setdefault(os.path.normpath(setting.file), setting)
        if first is not setting:
            sizes = [each.size or DEFAULT_STORE_SIZE for each in (first, setting)]
            two = f", and want two sizes of it, {size_words(sizes[0])} and {size_words(sizes[1])}"
            raise _refusal(
                deployment,
                setting,
                f"and store {quoted(first.name)} have one file, {quoted(setting.file)}"
                + (two if sizes[0] != sizes[1] else ""),
                "give each a file of its own, or let their actors declare one store",
            )


def plan_stores(
    deployment: Deployment, actors: dict[str, PlannedActor], enclaves: dict[int, PlannedEnclave]
) -> tuple[PlannedStore, ...]:
    """Plan the stores of the placed actors, in the order of their declaration.

    Raises:
        DeploymentError: The deployment names a store that nobody uses, or asks for what the
            placement of its users rules out.
        SourceError: A handler of changes is no method.
    """
    users: dict[str, list[PlannedActor]] = {}
    watchers: dict[str, list[str]] = {}
    for actor in actors.values():
        for attribute, store in actor.cls.__eactors__.stores.items():
            if actor not in users.setdefault(store.name, []):
                users[store.name].append(actor)
            if store.watches:
                _check_handlers(actor, attribute)
                watchers.setdefault(store.name, []).append(actor.name)
    settings = {each.name: each for each in deployment.stores}
    for name, setting in settings.items():
        if name not in users:
            raise DeploymentError(
                f"no placed actor uses a store {quoted(name)}",
                file=deployment.file,
                line=setting.line,
                hint=did_you_mean(name, users, "remove it, or declare Store(...) in an actor"),
            )
    keys = StoreKeys(deployment, enclaves)
    return tuple(
        _store(deployment, name, who, settings.get(name), tuple(dict.fromkeys(watchers.get(name, ()))), keys)
        for name, who in users.items()
    )


def _check_handlers(actor: PlannedActor, attribute: str) -> None:
    for _, handler in actor.cls.__eactors__.stores[attribute].watches:
        if not callable(getattr(actor.cls, handler, None)):
            raise SourceError(f"{actor.cls.__name__}.{attribute}: its handler {handler!r} is no method")


def _store(
    deployment: Deployment,
    name: str,
    users: list[PlannedActor],
    setting: StoreSettings | None,
    watchers: tuple[str, ...],
    keys: StoreKeys,
) -> PlannedStore:
    kind = _kind(deployment, name, users, setting)
    encryption, key = keys.decide(name, kind, users, setting)
    size = (setting.size if setting else None) or DEFAULT_STORE_SIZE
    file = setting.file if setting else None
    return PlannedStore(
        name=name,
        server=users[0].server,
        kind=kind,
        limit=size // STORE_BLOCK,
        file=None if file is None else str(Path(deployment.file).parent.absolute() / file),
        encryption=encryption,
        key=key,
        detects=setting is not None and setting.rollback == "detect",
        users=tuple(user.name for user in users),
        watchers=watchers,
    )


def _kind(
    deployment: Deployment, name: str, users: list[PlannedActor], setting: StoreSettings | None
) -> StoreKind:
    line = setting.line if setting is not None else None
    who = ", ".join(user.name for user in users)
    if len({user.server for user in users}) > 1:
        raise DeploymentError(
            f"store {quoted(name)} is used by actors on two servers: {who}",
            file=deployment.file,
            line=line,
            hint="a store is on one machine: place its users together, or let the others ask one of them",
        )
    homes = {user.home for user in users}
    kind = setting.kind if setting is not None else None
    if kind == "private" and len(homes) > 1:
        raise DeploymentError(
            f"store {quoted(name)} is private, but used by actors in several enclaves: {who}",
            file=deployment.file,
            line=line,
            hint="make it public, or place its users together",
        )
    return kind or ("private" if len(homes) == 1 else "public")


def _refusal(deployment: Deployment, setting: StoreSettings, what: str, hint: str) -> DeploymentError:
    return DeploymentError(
        f"store {quoted(setting.name)} {what}", file=deployment.file, line=setting.line, hint=hint
    )
