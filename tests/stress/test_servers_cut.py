"""Two servers whose connection is reset again and again, at any byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.cli.test_servers import COUNT
from tests.proxy import Proxy
from tests.servers import Ended, Servers, end_of, free_ports, started

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("enclaves", [(0, 0), (1, 2)])
def test_nothing_is_lost_or_repeated(tmp_path: Path, enclaves: tuple[int, int], seed: int) -> None:
    """Ping counts, and fails at the first answer that is not the next one."""
    print("seed", seed)  # noqa: T201
    servers = Servers(tmp_path, COUNT, enclaves=enclaves)
    (inner,) = free_ports(1)
    proxy = Proxy(int(servers.addresses[0].partition(":")[2]), inner, seed, 20_000)
    rounds = ("--param", "Ping.rounds=5000")
    listening = servers.start(0, *rounds, "--listen", f"127.0.0.1:{inner}")
    try:
        with started([listening, servers.start(1, *rounds)]) as processes:
            ended = [end_of(process) for process in processes]
    finally:
        proxy.close()
    assert ended == [Ended(0, "all 5000\n", ""), Ended(0, "", "")]
    assert proxy.cuts > 5
