"""What hostile tests of one process share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.local_loop import close
from tests.raw_client import Raw

from eactors.system.reactor import Reactor

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    """A reactor."""
    made = Reactor()
    yield made
    for raw in Raw.made:
        raw.local.session.ended()
    Raw.made.clear()
    close(made)
