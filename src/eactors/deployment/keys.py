"""Judges the keys of a deployment: who is declared, and which enclave names whom.

The development key signs only where no owner is declared. Once there are keys, an enclave
that would fall back to it by an oversight is refused instead.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from eactors.deployment.errors import DeploymentError
from eactors.deployment.hints import did_you_mean, quoted
from eactors.deployment.model import UNTRUSTED
from eactors.deployment.twins import refuse_twins

if TYPE_CHECKING:
    from eactors.deployment.model import Deployment, EnclaveSettings


def check_keys(deployment: Deployment) -> None:
    """Refuse keys declared twice, names of keys that there are not, and an enclave without a signer."""
    refuse_twins(
        deployment.file,
        ((key.name, key.line, f"key {quoted(key.name)} is declared twice") for key in deployment.keys),
        "give one of the two another name",
    )
    for settings in deployment.enclave_settings:
        if settings.signer is not None:
            _check_declared(deployment, settings, "signer", settings.signer)
        for owner, times in Counter(settings.owners or ()).items():
            _check_declared(deployment, settings, "owners", owner)
            if times > 1:
                raise DeploymentError(
                    f"owners of enclave {settings.enclave} names {quoted(owner)} {times} times",
                    file=deployment.file,
                    line=settings.line,
                    hint="list each owner once",
                )
    if len(deployment.keys) > 1:
        _check_signers(deployment)


def _check_declared(deployment: Deployment, settings: EnclaveSettings, attribute: str, name: str) -> None:
    declared = [key.name for key in deployment.keys]
    if name not in declared:
        raise DeploymentError(
            f"{attribute} of enclave {settings.enclave} names the unknown key {quoted(name)}",
            file=deployment.file,
            line=settings.line,
            hint=did_you_mean(name, declared, 'declare it: <key name="..." file="..."/>'),
        )


def _check_signers(deployment: Deployment) -> None:
    names = ", ".join(quoted(key.name) for key in deployment.keys)
    for enclave, line in deployment.share_lines().items():
        settings = deployment.settings_of(enclave)
        if enclave != UNTRUSTED and (settings is None or settings.signer is None):
            raise DeploymentError(
                f"enclave {enclave} has no signer, and there are several keys: {names}",
                file=deployment.file,
                line=line if settings is None else settings.line,
                hint=f'say which of them signs it: <enclave-settings enclave="{enclave}" signer="..."/>',
            )
