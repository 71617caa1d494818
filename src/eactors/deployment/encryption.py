"""Which channels are encrypted, with what, and how their two ends agree on keys.

Between two enclaves a channel is encrypted unless the deployment says
otherwise. Inside one enclave there is no one to hide from, and an untrusted end has no one
to keep a secret with: there a cipher would only look like protection, so asking for one is
refused rather than ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eactors.deployment.errors import DeploymentError
from eactors.deployment.hints import quoted
from eactors.deployment.model import UNTRUSTED
from eactors.deployment.plan import DEFAULT_CIPHER, DEFAULT_EXCHANGE, DEFAULT_EXCHANGE_BETWEEN_SERVERS

if TYPE_CHECKING:
    from eactors.deployment.model import ChannelSettings, Cipher, Deployment, KeyExchange
    from eactors.deployment.plan import Plan, PlannedActor, PlannedChannel, PlannedEnclave

Encryption = tuple["Cipher", "KeyExchange | None"]
_PLAIN: Encryption = ("none", None)


class Encryptions:
    """Decides for each channel of a deployment.

    Args:
        deployment: The deployment, for messages.
        enclaves: The planned enclaves.
    """

    def __init__(self, deployment: Deployment, enclaves: dict[int, PlannedEnclave]) -> None:
        self._deployment = deployment
        self._enclaves = enclaves

    def decide(self, one: PlannedActor, other: PlannedActor, setting: ChannelSettings | None) -> Encryption:
        """Return the cipher and the key exchange of the channels between two actors.

        Raises:
            DeploymentError: The setting asks for what their placement or another part of the
                setting rules out.
        """
        if UNTRUSTED in {one.enclave, other.enclave}:
            outside = one if one.enclave == UNTRUSTED else other
            self._refuse_any(
                setting,
                f"{quoted(outside.name)} is untrusted, so there is no one to keep a secret with",
                f"place {quoted(outside.name)} in an enclave",
            )
            return _PLAIN
        if one.home == other.home:
            self._refuse_any(
                setting,
                f"both are in {self._title(one)}, and what they say never leaves it",
                "place the two in different enclaves",
            )
            return _PLAIN
        return self._between_enclaves(one, other, setting)

    def _between_enclaves(
        self, one: PlannedActor, other: PlannedActor, setting: ChannelSettings | None
    ) -> Encryption:
        apart = one.server != other.server
        default = DEFAULT_EXCHANGE_BETWEEN_SERVERS if apart else DEFAULT_EXCHANGE
        if setting is None:
            return DEFAULT_CIPHER, default
        exchange = setting.exchange or default
        if setting.cipher == "none":
            if setting.exchange is not None:
                raise self._refusal(
                    setting,
                    f"has key-exchange {quoted(setting.exchange)} and cipher 'none': it needs no keys",
                    "delete key-exchange from this <channel>, or choose a cipher",
                )
            if setting.insecure:
                raise self._refusal(
                    setting,
                    "has insecure 'yes' and cipher 'none': insecure is about a key exchange",
                    "delete insecure from this <channel>",
                )
            return _PLAIN
        if exchange == "diffie-hellman" and not setting.insecure:
            raise self._refusal(
                setting,
                "has key-exchange 'diffie-hellman' without insecure=\"yes\": it attests no one, so neither"
                " end knows whom it talks to, and a hostile host can sit in the middle and read everything",
                f'use {default}, or accept that with insecure="yes"',
            )
        if exchange != "diffie-hellman" and setting.insecure:
            raise self._refusal(
                setting,
                f"has insecure 'yes' and key-exchange {quoted(exchange)}, which is secure",
                "delete insecure from this <channel>",
            )
        if apart and exchange in {"local-attestation", "sealing"}:
            raise self._refusal(
                setting,
                f"has key-exchange {quoted(exchange)}, but they are on two servers: reports and sealing"
                " keys mean something on one machine only",
                f"delete key-exchange from this <channel>: between servers it is {default}",
            )
        if exchange == "sealing":
            self._check_sealing(one, other, setting)
        return setting.cipher or DEFAULT_CIPHER, exchange

    def _check_sealing(self, one: PlannedActor, other: PlannedActor, setting: ChannelSettings) -> None:
        first, second = self._enclaves[one.enclave], self._enclaves[other.enclave]
        rule = "keys travel under a sealing key that only enclaves of one signer and one product id have"
        if first.signer != second.signer:
            raise self._refusal(
                setting,
                f"has key-exchange 'sealing', but {first.title} is signed by {signer_words(first)} and"
                f" {second.title} by {signer_words(second)}",
                f"{rule}: give both the same signer, or use {DEFAULT_EXCHANGE}",
            )
        if first.product_id != second.product_id:
            raise self._refusal(
                setting,
                f"has key-exchange 'sealing', but {first.title} has product id {first.product_id} and"
                f" {second.title} has {second.product_id}",
                f"{rule}: give both the same product-id, or use {DEFAULT_EXCHANGE}",
            )

    def _refuse_any(self, setting: ChannelSettings | None, why: str, way_out: str) -> None:
        if setting is None:
            return
        asked = {
            "cipher": None if setting.cipher == "none" else setting.cipher,
            "key-exchange": setting.exchange,
            "insecure": "yes" if setting.insecure else None,
        }
        for attribute, value in asked.items():
            if value is not None:
                raise self._refusal(
                    setting,
                    f"cannot have {attribute} {quoted(value)}: {why}",
                    f"delete {attribute} from this <channel>, or {way_out}",
                )

    def _refusal(self, setting: ChannelSettings, what: str, hint: str) -> DeploymentError:
        one, other = (quoted(name) for name in setting.between)
        return DeploymentError(
            f"the channel between {one} and {other} {what}",
            file=self._deployment.file,
            line=setting.line,
            hint=hint,
        )

    def _title(self, actor: PlannedActor) -> str:
        return self._enclaves[actor.enclave].title


def signer_words(enclave: PlannedEnclave) -> str:
    """How people are told who signs an enclave."""
    return "the development key" if enclave.signer is None else enclave.signer


def attested(plan: Plan, channel: PlannedChannel) -> str | None:
    """Say who can be sure of whom on an encrypted channel; None if it is not encrypted."""
    one, other = (plan.enclaves.get(plan.actors[end.actor].enclave) for end in channel.ends)
    if channel.exchange is None or one is None or other is None:
        return None
    if channel.exchange == "local-attestation":
        return f"{one.title} and {other.title} attest each other"
    if channel.exchange == "remote-attestation":
        return f"{one.title} and {other.title} attest each other by quote"
    if channel.exchange == "sealing":
        return f"both sealed by {signer_words(one)}"
    return "nobody: insecure"
