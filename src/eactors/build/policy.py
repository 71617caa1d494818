"""The policy that accepts one image, and no other: text for `eactors attest`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eactors.cpu.creation import einit

if TYPE_CHECKING:
    from eactors.build.image import Image


def policy_of(image: Image) -> str:
    """A policy file, TOML, for an image that is signed.

    Raises:
        ImageError: It is not signed, or not as it says.
    """
    settings, signer = image.settings, einit(image, image.folder).signer
    simulated = settings["platform"] == "simulation"
    lines = [
        "# Accepts one image and no other; the lines are explained in docs/policy.md.",
        f'measurements = ["{image.measurement.hex()}"]',
        f'signers = ["{signer.hex()}"]',
        f"product_id = {settings['product_id']}",
        f"security_version = {settings['security_version']}",
        f'root = "{"simulation" if simulated else "intel"}"',
    ]
    if simulated:
        lines += [
            "# It is simulated, which protects nothing from its host: for tests.",
            "allow_simulation = true",
        ]
    if settings["debug"]:
        lines += [
            "# It is a debug enclave, which protects nothing from its host: for tests.",
            "allow_debug = true",
        ]
    return "\n".join(lines)
