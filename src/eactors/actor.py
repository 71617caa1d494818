"""Actor: the class that an application derives its actors from."""

from __future__ import annotations

from eactors import _native
from eactors.errors import NotInEnclave, SourceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from eactors.connector import Connector
    from eactors.enclave.trust import Trust
    from eactors.mbox import Mbox, Pool
    from eactors.store.store import Store


_PLACES = ("connectors", "pools", "mboxes", "stores")


class Declaration:
    """What the source says of one actor class, for those who deploy it.

    Attributes:
        name: What the deployment calls an actor of this class.
        family: The deployment may call actors of this class ``family1``, ``family2``, ...;
            None: it may not.
        connectors: The class's connectors by attribute, in the order of their declaration.
        pools: Its pools by attribute.
        mboxes: Its mboxes by attribute.
        stores: Its stores by attribute.
    """

    __slots__ = ("connectors", "family", "mboxes", "name", "pools", "stores")

    def __init__(self, name: str, family: str | None) -> None:
        self.name = name
        self.family = family
        self.connectors: dict[str, Connector] = {}
        self.pools: dict[str, Pool] = {}
        self.mboxes: dict[str, Mbox] = {}
        self.stores: dict[str, Store] = {}

    def collect(self, cls: type) -> None:
        """Take over what ``cls`` itself declares."""
        for attribute, value in list(vars(cls).items()):
            # Not by its class: what no actor here declares is not even imported.
            place = getattr(type(value), "declared_in", None)
            if place in _PLACES:
                getattr(self, place)[attribute] = value
                if issubclass(cls, _native.Actor):
                    # A plain instance attribute is what CPython looks up fastest, and only
                    # where no class attribute of that name exists.
                    delattr(cls, attribute)


class Actor(_native.Actor):
    """A passive object that shares nothing and exchanges messages.

    A worker calls ``constructor()`` once and then, again and again, the handlers of the
    actor's connectors (``@connector.on_message``), its ``body()``, or both. A body that
    returns True is called again at once; otherwise its worker may sleep until a message
    comes, or for at most some tens of milliseconds.

    An actor that can never be called again, for it has no body, all its peers have
    finished, and it awaits nothing of a system actor, has finished too.

    Class keywords:
        name: What the deployment calls this actor; by default the name of the class.
        family: The deployment may also have ``family1``, ``family2``, ... as instances.

    Attributes:
        name: This actor's name in the deployment.
        params: Parameters from the deployment. A class attribute of the same name gives
            defaults, and with them the types.
        provisioned: The file that ``eactors provision`` has encrypted for this actor's enclave;
            None if there is none.
        secret: True in a class whose actors hold secrets: a deployment in which others could
            read one of their channels, pools, mboxes or stores is refused, unless the connector is
            declared with ``declassify="reason"``.
        requires: What the image of such an actor's enclave has in any case: modules that are
            imported in a way that cannot be seen in the source (``"package.module"``), and
            names that are looked up so (``"module:NAME"``).
        resources: Files beside the source that the image has, too: ``("site/*",)``. They are
            measured, and `eactors.resources` reads them.
    """

    if TYPE_CHECKING:
        name: str
        __eactors__: ClassVar[Declaration]

    params: Mapping[str, Any] = {}
    secret: ClassVar[bool] = False
    requires: ClassVar[tuple[str, ...]] = ()
    provisioned: bytes | None = None
    _trust: Trust | None = None

    def __init_subclass__(cls, *, name: str | None = None, family: str | None = None) -> None:
        """Collect the declarations of a new actor class."""
        super().__init_subclass__()
        declaration = Declaration(name or cls.__name__, family)
        for base in reversed(cls.__mro__):
            inherited = base.__dict__.get("__eactors__")
            if inherited is None:
                declaration.collect(base)
            else:
                for place in _PLACES:
                    getattr(declaration, place).update(getattr(inherited, place))
        for attribute, connector in declaration.connectors.items():
            for handler in (connector.handler, connector.broken_handler, connector.reopened_handler):
                if handler is not None and not callable(getattr(cls, handler, None)):
                    raise SourceError(f"{cls.__name__}.{attribute}: its handler {handler!r} is no method")
        cls.__eactors__ = declaration

    def constructor(self) -> None:
        """Prepare the actor; called once, before its enclave is sealed.

        If it is started on demand in an enclave that runs, that is sealed already.
        """

    def seal(self, data: bytes, to: str = "measurement") -> bytes:
        """Encrypt ``data`` for whoever keeps it, so that only an enclave like this one has it back.

        Args:
            data: Any bytes.
            to: ``"measurement"``: for this very image; ``"signer"``: for every enclave of the same
                signer, product id and at least this security version. Always on this machine.

        Raises:
            NotInEnclave: The actor runs on the untrusted side, which has no keys.
            ValueError: ``to`` is neither.
        """
        return self._power("sealing", "seal data").seal(data, to)  # type: ignore[no-any-return]

    def unseal(self, sealed: bytes) -> bytes:
        """Decrypt what `seal` returned, here or in an earlier run.

        Raises:
            NotInEnclave: The actor runs on the untrusted side.
            SealBroken: It was changed, or sealed by whom this enclave is not.
        """
        return self._power("sealing", "unseal data").unseal(sealed)  # type: ignore[no-any-return]

    def report(self, enclave: int, data: bytes) -> bytes:
        """Prove to another enclave of the deployment who says ``data``: EREPORT.

        Channels attest their two ends by themselves; this is for protocols of one's own.

        Args:
            enclave: Its id; only it can check the report.
            data: 64 bytes.

        Raises:
            NotInEnclave: The actor runs on the untrusted side.
            ManifestRejected: The deployment manifest has no such enclave.
        """
        return self._power("reports", "make reports").report(enclave, data)  # type: ignore[no-any-return]

    def check_report(self, enclave: int, report: bytes) -> bytes:
        """See that a report is by an enclave of the deployment, and made for this one; its data.

        Raises:
            NotInEnclave: The actor runs on the untrusted side.
            ReportInvalid: It is not, or was changed.
        """
        return self._power("reports", "check reports").check_report(enclave, report)  # type: ignore[no-any-return]

    def quote(self, data: bytes) -> bytes:
        """Prove to anyone anywhere which enclave says ``data``.

        Whoever gets it verifies it with a policy; `eactors.attested_tls` puts one into a certificate.

        Args:
            data: 64 bytes, most often a hash of a public key that only this enclave has.

        Returns:
            An SGX quote, version 3.

        Raises:
            NotInEnclave: The actor runs on the untrusted side.
            ValueError: The data has another length.
        """
        return self._power("quotes", "make quotes").quote(data)  # type: ignore[no-any-return]

    def _power(self, name: str, what: str) -> Any:
        if self._trust is None:
            raise NotInEnclave(
                f"actor {self.name!r} cannot {what}: it runs on the untrusted side, which has no keys",
                hint="place it in an enclave",
            )
        return self._trust.power(name)
