"""Plans, made in one process: what a source and a deployment come to, or how they are refused."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest
from tests.conftest import deployment_of

from eactors.build.source import read_source
from eactors.deployment import xml
from eactors.deployment.errors import DeploymentError
from eactors.deployment.planner import make_plan
from eactors.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.deployment.plan import Plan

FILE = "demo.xml"

PAIR = """
class Ping(Actor):
    pong = Connector("Pong")

class Pong(Actor):
    ping = Connector("Ping")
"""


class Planner:
    """Makes plans of sources in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._text = ""

    def __call__(self, source: str, places: str, extra: str = "", file: str = FILE) -> Plan:
        """Plan a source, for ``places`` as in ``deployment_of``."""
        self._text = deployment_of(places, extra)
        return self.plan(source, self._text, file)

    def plan(self, source: str, deployment: str, file: str = FILE) -> Plan:
        """Plan a source for the text of a deployment."""
        self._text = deployment
        path = self._folder / "app.py"
        path.write_text("from eactors import *\n" + textwrap.dedent(source), encoding="utf-8")
        return make_plan(xml.parse(deployment.encode(), file), read_source(path))

    def refused(self, source: str, places: str, extra: str = "") -> DeploymentError:
        """Return how a deployment is refused."""
        with pytest.raises(DeploymentError) as caught:
            self(source, places, extra)
        assert caught.value.file == FILE
        return caught.value

    def source_refused(self, source: str, places: str) -> SourceError:
        """Return how a source is refused."""
        with pytest.raises(SourceError) as caught:
            self(source, places)
        return caught.value

    def line_of(self, text: str) -> int:
        """Return the number of the deployment's first line that holds ``text``."""
        return next(number for number, line in enumerate(self._text.splitlines(), 1) if text in line)


@pytest.fixture
def plan(tmp_path: Path) -> Planner:
    """What makes plans."""
    return Planner(tmp_path)
