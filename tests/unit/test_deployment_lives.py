"""When enclaves are started: on demand, several of one kind, and anew; and what of that is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eactors.deployment.lives import unstartable
from eactors.deployment.model import Rate

if TYPE_CHECKING:
    from tests.plans import Planner

SOURCE = """
from eactors.services import Factory

class Keeper(Actor):
    factory = Factory()
    guests = Connectors("guest")

class Guest(Actor, family="guest"):
    keeper = Connector("Keeper")
    params = {"size": 1}

class Other(Actor):
    pass
"""
PLACES = "Keeper:1 | guest:2 | Other:0"


def settings(text: str, enclave: int = 2) -> str:
    """Return the settings of the guests' enclave."""
    return f'<enclave-settings enclave="{enclave}" {text}/>'


def test_instances_are_enclaves_of_their_own(plan: Planner) -> None:
    """Each has its own id, actor, worker, parameters, settings and channel."""
    extra = (
        settings('start="on-demand" instances="3" name="room"')
        + '<channel between="Keeper guest" cipher="aes-256-gcm"/><param actor="guest" name="size">7</param>'
        + '<network actor="guest" sockets="5"/><network/>'
        + '<wait worker="1" policy="sleep"/><requires enclave="2" module="json"/>'
    )
    made = plan(SOURCE, PLACES, extra)
    guests = [made.actors[f"guest{number}"] for number in (1, 2, 3)]
    assert [guest.enclave for guest in guests] == [2, 3, 4]
    assert [guest.worker for guest in guests] == [1, 3, 4]
    assert [guest.index for guest in guests] == [1, 2, 3]
    assert {guest.params["size"] for guest in guests} == {7}
    assert [made.enclaves[guest.enclave].title for guest in guests] == [
        "enclave 2 (room1)",
        "enclave 3 (room2)",
        "enclave 4 (room3)",
    ]
    assert {made.enclaves[guest.enclave].life.family for guest in guests} == {"guest"}
    assert {made.enclaves[guest.enclave].requires for guest in guests} == {("json",)}
    assert {str(channel) for channel in made.channels} == {
        f"Keeper.guests.guest{number} - guest{number}.keeper" for number in (1, 2, 3)
    }
    assert {channel.cipher for channel in made.channels} == {"aes-256-gcm"}
    assert [worker.policy for worker in made.servers[0].workers] == ["adaptive", *["sleep"] * 3, "adaptive"]
    limits = [(each.actor, each.sockets) for each in made.networks]
    assert limits == [("guest1", 5), ("guest2", 5), ("guest3", 5), (None, 16384)]
    assert "guest" not in made.actors


def test_restarts(plan: Planner) -> None:
    """An ordinary enclave may be restarted; how often has a default."""
    source = SOURCE.replace("    factory = Factory()\n", "").replace(
        'Connectors("guest")', 'Connector("guest1")'
    )
    places = "Keeper:1 | guest1:2 | Other:0"
    life = plan(source, places, settings('restart="on-failure"')).enclaves[2].life
    assert (life.family, life.restart, life.failures) == (None, True, Rate(3, 60))
    life = plan(source, places, settings('restart="on-failure" restarts="5 per 10"')).enclaves[2].life
    assert life.failures == Rate(5, 10)
    assert not plan(source, places).enclaves[2].life.may_begin_again


@pytest.mark.parametrize(
    ("places", "text", "message", "hint"),
    [
        (PLACES, 'instances="2"', "has instances, but is not started on demand", 'add start="on-demand"'),
        (PLACES, 'restarts="2 per 3"', "says how often it may be started anew", 'add restart="on-failure"'),
        (
            "Keeper:1 guest:2 | Other:0",
            'start="on-demand" instances="2"',
            "is started on demand, but worker 0 also has actors elsewhere, which would wait for it",
            "give it a worker of its own",
        ),
        (
            "Keeper:1 guest:2 | Other:0",
            'restart="on-failure"',
            "may be started anew, but worker 0 also has actors elsewhere",
            "give it a worker of its own",
        ),
        (
            "Keeper:1 | guest:2 | guest2:0",
            'start="on-demand" instances="2"',
            "one of them would be called 'guest2', and so is another actor",
            "rename one of the two",
        ),
        (
            "Keeper:1 | guest:65535",
            'start="on-demand" instances="2"',
            "there are not so many ids left",
            "use lower ids, or fewer instances",
        ),
        (PLACES, 'start="later"', "cannot be 'later'", "write 'at-once' or 'on-demand'"),
        (PLACES, 'restart="always"', "cannot be 'always'", "write 'never' or 'on-failure'"),
        (
            PLACES,
            'restart="on-failure" restarts="often"',
            "is not how often: 'often'",
            "write times and seconds, such as '3 per 60': at most 9999 times, within 99999 seconds",
        ),
        (PLACES, 'start="on-demand" instances="0"', "is out of range: '0'", "write a number from 1 to 1024"),
    ],
)
def test_refusals(plan: Planner, places: str, text: str, message: str, hint: str) -> None:
    """Each names the setting, its line, and what would be right."""
    enclave = 65535 if "65535" in places else 2
    error = plan.refused(SOURCE, places, settings(text, enclave))
    assert message in error.message
    assert error.hint is not None
    assert hint in error.hint
    assert error.line == plan.line_of("<enclave-settings")


def test_a_family_that_is_not_there(plan: Planner) -> None:
    """Connectors to a family of nobody are a mistake."""
    error = plan.refused(SOURCE, "Keeper:1 | Other:0")
    assert "connects it to the family 'guest', of which none is placed" in error.message


def test_on_demand_where_nobody_can_demand(plan: Planner) -> None:
    """One warning per kind of enclave."""
    extra = settings('start="on-demand" instances="3"')
    assert list(unstartable(plan(SOURCE, PLACES, extra))) == []
    (words,) = unstartable(plan(SOURCE.replace("    factory = Factory()\n", ""), PLACES, extra))
    assert words.startswith("enclave 2 is started on demand, but no actor has a Factory")
