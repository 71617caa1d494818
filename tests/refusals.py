"""What tests of refusals share: a pair of actors, and what a refusal looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

    from tests.conftest import App


PAIR = """
class Ping(Actor):
    pong = Connector("Pong")
    def body(self):
        self.exit()

class Pong(Actor):
    ping = Connector("Ping")
"""


def refused(done: subprocess.CompletedProcess[str], error: str, hint: str | None) -> None:
    """Assert that the user's files were refused with just these words."""
    said = f"error: {error}\n" + (f"hint: {hint}\n" if hint else "")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def edited(app: App, old: str, new: str) -> App:
    """Change the deployment."""
    text = app.deployment.read_text()
    assert old in text
    app.deployment.write_text(text.replace(old, new, 1))
    return app


def pair(app: App) -> App:
    """Write two actors in two enclaves."""
    return app.write(PAIR, "Ping:1 | Pong:2")
