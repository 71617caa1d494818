"""Two servers in network namespaces of their own, over a cable that delays, loses and is pulled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.cli.test_servers import COUNT
from tests.networks import Network
from tests.servers import Ended, Servers, end_of, started, wait_for_line

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def placed(folder: Path, network: Network, enclaves: tuple[int, int]) -> Servers:
    """The counting actors, one on each machine."""
    servers = Servers(folder, COUNT)
    servers.addresses = list(network.ADDRESSES)
    servers.deployment.write_text(servers.text(servers.addresses, enclaves=enclaves))
    return servers


def both(servers: Servers, network: Network, rounds: int) -> list[subprocess.Popen[str]]:
    """Start each on its machine."""
    options = ("--param", f"Ping.rounds={rounds}")
    return [servers.start(at, *options, prefix=network.prefix(at)) for at in (0, 1)]


@pytest.mark.parametrize("enclaves", [(0, 0), (1, 2)])
@pytest.mark.parametrize(
    "disturbance",
    [
        (),
        ("netem", "delay", "20ms", "5ms"),
        ("netem", "delay", "5ms", "loss", "5%", "reorder", "10%"),
        # Not every kernel has netem. This one loses what its queue of four packets cannot hold.
        ("tbf", "rate", "4mbit", "burst", "3000", "limit", "6000"),
    ],
    ids=["undisturbed", "slow", "lossy", "narrow"],
)
def test_all_arrives_in_order(
    tmp_path: Path, enclaves: tuple[int, int], disturbance: tuple[str, ...]
) -> None:
    """Over a network that is one."""
    with Network(*disturbance) as network:
        servers = placed(tmp_path, network, enclaves)
        with started(both(servers, network, 1000)) as processes:
            assert [end_of(process) for process in processes] == [
                Ended(0, "all 1000\n", ""),
                Ended(0, "", ""),
            ]


def test_a_pulled_cable(tmp_path: Path) -> None:
    """Longer than it takes to give the connection up; afterwards it goes on where it was."""
    with Network() as network:
        servers = placed(tmp_path, network, (0, 0))
        with started(both(servers, network, 200_000)) as processes:
            # It begins only once both are there; and it does not end before the cable is pulled.
            while not network.carried():
                pass
            network.plug("down")
            wait_for_line(processes[0], f"notice: waiting for server '{network.ADDRESSES[1]}'")
            network.plug("up")
            wait_for_line(processes[0], f"notice: connected with server '{network.ADDRESSES[1]}'")
            ended = [end_of(process) for process in processes]
    assert [each.status for each in ended] == [0, 0]
    assert ended[0].stdout == "all 200000\n"
