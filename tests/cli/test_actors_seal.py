"""Sealing: what an actor encrypts for itself comes back in a later run, and to nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from tests.conftest import App

KEEP = """
class Keep(Actor):
    params = {"sealed": "", "to": "measurement"}
    def constructor(self):
        if self.params["sealed"]:
            print(self.unseal(bytes.fromhex(self.params["sealed"])).decode())
        else:
            print(self.seal(b"the crown jewels", to=self.params["to"]).hex())
        self.stop()
"""


def test_the_signer_s_data_comes_back_in_another_image(app: App) -> None:
    """A parameter is measured, so the second run has another measurement and the same signer."""
    app.write(KEEP, "Keep:1")
    sealed = app.run("--param", "Keep.to=signer").stdout.strip()
    assert b"the crown jewels" not in bytes.fromhex(sealed)
    assert app.run("--param", f"Keep.sealed={sealed}").stdout == "the crown jewels\n"


def test_an_image_s_data_is_for_that_image_alone(app: App) -> None:
    """Sealed to the measurement, it does not open for the same signer's next version."""
    app.write(KEEP, "Keep:1")
    sealed = app.run().stdout.strip()
    done = app.run("--param", f"Keep.sealed={sealed}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: actor 'Keep' failed: SealBroken: " in done.stderr


def test_another_machine_cannot_unseal(
    app: App, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The root secret of the CPU is part of every key."""
    app.write(KEEP, "Keep:1")
    sealed = app.run("--param", "Keep.to=signer").stdout.strip()
    other: Path = tmp_path_factory.mktemp("another")
    monkeypatch.setenv("XDG_STATE_HOME", str(other))
    done = app.run("--param", f"Keep.sealed={sealed}")
    assert done.returncode == 1
    assert "SealBroken" in done.stderr


def test_the_untrusted_side_has_no_keys(app: App) -> None:
    """The error says what to do."""
    done = app.write(KEEP, "Keep:0").run()
    assert done.returncode == 1
    assert "NotInEnclave: actor 'Keep' cannot seal data: it runs on the untrusted side" in done.stderr
    assert "hint: place it in an enclave" in done.stderr


def test_data_is_sealed_after_the_seal_of_the_enclave_as_well(app: App) -> None:
    """Keys come from the CPU at any time."""
    app.write(
        """
        class Keep(Actor):
            def body(self):
                print(self.unseal(self.seal(b"round trip", to="signer")).decode())
                self.stop()
        """,
        "Keep:1",
    )
    assert app.run().stdout == "round trip\n"
