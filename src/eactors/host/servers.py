"""The other servers of a run, as the launcher of this one sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eactors.bridge.words import Exit, Failed, Finished
from eactors.deployment.hints import did_you_mean
from eactors.host.errors import LaunchError
from eactors.host.outcome import Failure

if TYPE_CHECKING:
    from eactors import _native
    from eactors.bridge.bridge import Bridge
    from eactors.bridge.words import Ending
    from eactors.host.deployed import Deployed

_GRACE = 5.0
"""Seconds in which the other servers get what they are told last."""


class Servers:
    """Joins the run of this server with those of the others.

    Args:
        bridge: What connects them.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._told = False

    def open(self, region: _native.Region) -> None:
        """Begin to carry what actors say to those of other servers."""
        self._bridge.open(region)

    @property
    def all_finished(self) -> bool:
        """Whether all actors of all other servers have finished."""
        return self._bridge.all_finished

    def finished(self) -> None:
        """Tell the others, once, that all actors have finished here."""
        if not self._told:
            self._bridge.say(Finished())
        self._told = True

    def heard(self) -> tuple[int | None, list[Failure]]:
        """The status that an actor elsewhere wants the application to end with, and what has failed."""
        status, failures = None, []
        for title, word in self._bridge.heard():
            match word:
                case Exit(wanted):
                    status = wanted & 0xFF
                case Failed(what, hint=None):
                    failures.append(Failure(f"on server {title}: {what}", "see what that server says"))
                case Failed(what, hint):
                    failures.append(Failure(what, hint))
        self._bridge.look()
        return status, failures

    def close(self, word: Ending) -> None:
        """Tell the others why it ends here, and end."""
        if not (self._told and isinstance(word, Finished)):
            self._bridge.say(word)
        self._bridge.close(_GRACE)


def place_of(deployed: Deployed, address: str | None) -> int:
    """The place of a server among those of the deployment.

    Args:
        deployed: The whole deployment.
        address: As the deployment has it; None: there is only one.

    Raises:
        LaunchError: There is no such server, or it is not clear which one is meant.
    """
    addresses = [server.address for server in deployed.servers]
    if address is None:
        if len(addresses) > 1:
            raise LaunchError(
                f"the deployment has {len(addresses)} servers, and it is not said which one this machine is",
                hint=f"give --server with one of {', '.join(addresses)}",
            )
        return 0
    if address not in addresses:
        at_another_port = [each for each in addresses if each.startswith(f"{address.partition(':')[0]}:")]
        there_are = f"its servers are {', '.join(addresses)}"
        raise LaunchError(
            f"the deployment has no server {address!r}",
            hint=did_you_mean(address, at_another_port or addresses, there_are),
        )
    return addresses.index(address)
