"""What of EActors itself may be inside an enclave: nothing but what stands on this list."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import eactors
from eactors import _native
from eactors.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = "eactors"
FOLDER = Path(eactors.__path__[0])
NATIVE = Path(str(_native.__spec__.origin))
"""The compiled module of this process; in an installation that is linked to its sources it lies elsewhere."""

STORE = NATIVE.with_name("_store" + NATIVE.name.removeprefix("_native"))
"""The compiled module of stores, which lies beside the other."""

VARIANTS = NATIVE.parent / "_variants"
"""Below it, by name, the variants of the compiled module that enclaves get; see native_lines.json."""

TRUSTED = (
    "__init__.py",
    "actor.py",
    "aio",
    "answer.py",
    "attestation",
    "attested_tls",
    "codec.py",
    "connector.py",
    "connectors.py",
    "enclave",
    "errors.py",
    "mbox.py",
    "placement.py",
    "platform",
    "private.py",
    "resources.py",
    "services",
    "store",
    "web",
)
"""What of this package runs inside an enclave, besides the native module."""

LISTS = ("", "services", "store", "web")
"""Packages below this one whose ``__init__`` only lists public names, and is cut to those in use."""

FROZEN = frozenset(
    {"abc", "codecs", "io", "os", "posixpath", "genericpath", "stat", "site", "runpy", "zipimport"}
)
"""Standard modules that Python takes from its own binary before it looks for files."""

START = b"import sys\n\nfrom eactors.enclave.entry import main\n\nmain(sys.path[0])\n"
"""The first file that an enclave executes."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What an enclave's plan asks for besides what every enclave has.

    Attributes:
        modules: Modules that the entry loads only for such a plan.
        variant: Which variant of the native module has all that the plan needs.
        store: Which variant of the module of stores; None: there are no stores.
    """

    modules: tuple[str, ...]
    variant: str
    store: str | None = None

    @property
    def native(self) -> Path:
        """The file of that variant."""
        return VARIANTS / self.variant / NATIVE.name

    def compiled(self) -> Iterator[Path]:
        """All files of compiled modules."""
        yield self.native
        if self.store is not None:
            yield VARIANTS / self.store / STORE.name


BARE = Parts((), "bare")
"""For an enclave without channels, public pools and powers."""


def parts_of(plan: Mapping[str, Any]) -> Parts:
    """The parts that an enclave asks for.

    Args:
        plan: The enclave's plan.
    """
    vacancies = [actor for worker in plan["workers"] for actor in worker.get("vacancies", ())]
    connectors = [
        connector
        for worker in plan["workers"]
        for actor in (*worker["actors"], *worker.get("vacancies", ()))
        for connector in actor["connectors"].values()
    ]
    reopens = any("reopens" in connector for connector in connectors)
    kinds = {pool["kind"] for pool in plan["pools"].values()}
    stores = plan["stores"].values()
    connectors += [channel for store in stores for channel in store["key_channels"]]
    exchanges = {connector["exchange"] for connector in connectors if "exchange" in connector}
    modules = {
        **{f"eactors.attestation.{exchange.replace('-', '_')}": True for exchange in sorted(exchanges)},
        **{f"eactors.enclave.{power}": True for power in plan["powers"]},
        "eactors.enclave.pools": bool(kinds),
        "eactors.enclave.stores": bool(plan["stores"]),
        "eactors.enclave.reopening": reopens or bool(vacancies),
        "eactors.enclave.threads": len(plan["workers"]) > 1,
        "eactors.enclave.store_sharing": any(store["key_channels"] for store in stores),
        "eactors.enclave.vacancies": bool(vacancies),
        "eactors.private": "private" in kinds,
        "eactors.store.syncing": any(store["kind"] == "persistent" for store in stores),
        "eactors.store.waiting": any(store["kind"] != "private" for store in stores),
        "eactors.store.watching": any(store["watched_here"] for store in stores),
    }
    features = {  # in the order in which CMakeLists.txt names variants after them
        # For reports its keys would do, but they are no part of their own.
        "aead": "sealing" in exchanges
        or any(power not in {"exchanges", "quotes"} for power in plan["powers"]),
        "baton": any(worker["spans"] for worker in plan["workers"]),
        "mboxes": "public" in kinds,
        "plain": any("channel" in connector and "cipher" not in connector for connector in connectors),
        "private": bool(plan["private_channels"]),
        "reopening": reopens and not vacancies,  # which have it with them
        "vacancies": bool(vacancies),
        "sealed": bool(exchanges),
        "quotes": "remote-attestation" in exchanges,
    }
    sealed = any(store["key"] is not None for store in stores)
    store = ("store-sealed" if sealed else "store-plain") if stores else None
    return Parts(_asked(modules), "-".join(_asked(features)) or "bare", store)


def _asked(wishes: Mapping[str, bool]) -> tuple[str, ...]:
    return tuple(name for name, asked in wishes.items() if asked)


def trusted_files() -> Iterator[Path]:
    """Every Python file that may be in an enclave, sorted by path."""
    roots = [FOLDER / name for name in TRUSTED]
    return iter(sorted(file for root in roots for file in ([root] if root.is_file() else root.rglob("*.py"))))


def file_of(name: str) -> Path | None:
    """The file of a module of the framework.

    Args:
        name: Its name below ``eactors``; empty: the package itself.

    Returns:
        The file; None for what is no module: a name of a module, or the native module.

    Raises:
        SourceError: The module does not run inside enclaves.
    """
    if not name:
        return FOLDER / "__init__.py"
    base = FOLDER / name.replace(".", "/")
    for file in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
        if file.is_file():
            if file.relative_to(FOLDER).parts[0] not in TRUSTED:
                raise SourceError(
                    f"{PACKAGE}.{name} does not run inside an enclave",
                    hint="import the public names of eactors only; they are in docs/reference.md",
                )
            return file
    return None
