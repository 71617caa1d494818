"""What somebody demands of an enclave: the appraisal policy of RFC 9334.

Nothing is accepted that a policy does not name. It must name measurements or signers; debug
and simulated enclaves protect nothing, so each has to be allowed by name; and platforms must
be up to date unless other states are listed.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from eactors.errors import EActorsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

ROOTS = ("intel", "simulation")
STATUSES = (
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
)
"""TCB states that a policy may accept, as Intel names them; never "Revoked"."""

_IDENTITY = 64  # hexadecimal digits
_MOST = 0xFFFF


class PolicyError(EActorsError):
    """A policy is malformed, or accepts everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An appraisal policy.

    Attributes:
        measurements: Accepted MRENCLAVE, hexadecimal; empty: any, of the accepted signers.
        signers: Accepted MRSIGNER, hexadecimal; empty: any, of the accepted measurements.
        product_id: The only accepted product id; None: any.
        security_version: The lowest accepted security version.
        allow_debug: Whether the host may look into the enclave.
        allow_simulation: Whether there need not be hardware at all.
        statuses: Accepted states of the platform.
        root: Whose certificates count, "intel" or "simulation".
    """

    measurements: frozenset[str] = frozenset()
    signers: frozenset[str] = frozenset()
    product_id: int | None = None
    security_version: int = 0
    allow_debug: bool = False
    allow_simulation: bool = False
    statuses: frozenset[str] = frozenset({"UpToDate"})
    root: str = "intel"

    @classmethod
    def of(cls, values: Mapping[str, Any], *, where: str = "the policy") -> Policy:
        """Make a policy from a dictionary with some of the attributes' names.

        Args:
            values: The dictionary; lists stand for sets.
            where: What to call it in messages.

        Raises:
            PolicyError: A name is unknown, a value malformed, or everybody would be accepted.
        """
        known = [field.name for field in fields(cls)]
        for name, value in values.items():
            if name not in known:
                raise PolicyError(
                    f"{where} has the unknown entry {name!r}", hint=f"there are: {', '.join(known)}"
                )
            wanted, fits = _KINDS[name]
            if not fits(value):
                raise PolicyError(f"{where}: {name} must be {wanted}, not {value!r}")
        policy = cls(**{name: _normal(value) for name, value in values.items()})
        if not policy.measurements and not policy.signers:
            raise PolicyError(
                f"{where} accepts every enclave there is",
                hint="name measurements or signers; 'eactors measure IMAGE --policy' prints both",
            )
        return policy


def read_policy(path: Path) -> Policy:
    """Read a policy from a JSON file, or from a TOML file if its name ends so.

    Raises:
        PolicyError: It cannot be read, or is malformed.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise PolicyError(f"the policy {path} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise PolicyError(f"the policy {path} is no table of names and values")
    return Policy.of(values, where=str(path))


def _normal(value: Any) -> Any:
    if isinstance(value, (list, tuple, set, frozenset)):
        # Identities are compared in lower case; the states of platforms have none of 64 digits.
        return frozenset(one.lower() if len(one) == _IDENTITY else one for one in value)
    return value


def _is_set(value: object, fits: Callable[[str], bool]) -> bool:
    many = isinstance(value, (list, tuple, set, frozenset))
    return many and all(isinstance(one, str) and fits(one) for one in value)  # type: ignore[attr-defined]


def _is_identity(text: str) -> bool:
    return len(text) == _IDENTITY and not set(text.lower()) - set("0123456789abcdef")


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MOST


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


_IDENTITIES = ("a list of hexadecimal identities of 64 digits", lambda value: _is_set(value, _is_identity))
_NUMBER = (f"a number from 0 to {_MOST}", _is_number)
_BOOL = ("true or false", _is_bool)
_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "measurements": _IDENTITIES,
    "signers": _IDENTITIES,
    "product_id": _NUMBER,
    "security_version": _NUMBER,
    "allow_debug": _BOOL,
    "allow_simulation": _BOOL,
    "statuses": (f"a list out of {', '.join(STATUSES)}", lambda value: _is_set(value, STATUSES.__contains__)),
    "root": (" or ".join(map(repr, ROOTS)), ROOTS.__contains__),
}
