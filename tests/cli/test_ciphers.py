"""A cipher that this machine cannot use is refused before anything starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.pingpong import PING_PONG

from eactors import _native
from eactors.host.application import Application
from eactors.host.errors import LaunchError
from eactors.host.workspace import Workspace

if TYPE_CHECKING:
    from tests.conftest import App


def test_a_cipher_that_the_machine_lacks(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the channel and the way out."""
    app.write(PING_PONG, "Ping:1 | Pong:2")
    built = app.folder / "built"
    assert app.run("-o", str(built), command="build").returncode == 0
    monkeypatch.setattr(_native, "cipher_problem", lambda name: f"no {name} here")
    workspace = Workspace()
    with pytest.raises(
        LaunchError, match=r"the channel Ping\.\w+ - Pong\.\w+ cannot be encrypted with aes-128-gcm"
    ):
        Application(built, workspace)


def test_the_ciphers_of_deployments_are_those_of_the_library() -> None:
    """All three are usable here, and no other."""
    for name in ("aes-128-gcm", "chacha20-poly1305"):
        assert _native.cipher_problem(name) is None
    assert _native.cipher_problem("rot13") is not None


def test_an_import_of_what_is_not_in_the_image_says_so(app: App) -> None:
    """A name that is computed cannot be seen; the error tells how to declare it."""
    app.write(
        """
        import importlib
        class A(Actor):
            params = {"name": "colorsys"}
            def constructor(self):
                importlib.import_module(self.params["name"])
        """,
        "A:1",
    )
    done = app.run()
    assert done.returncode == 1
    assert "ModuleNotInImage" in done.stderr
    assert 'requires = ("colorsys",)' in done.stderr
    text = app.source.read_text().replace("    params", '    requires = ("colorsys",)\n    params')
    app.source.write_text(
        text.replace('import_module(self.params["name"])', 'import_module(self.params["name"]); self.stop()')
    )
    assert app.run().returncode == 0
