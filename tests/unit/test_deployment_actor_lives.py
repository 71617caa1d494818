"""When actors are started that do not live as long as their enclave; and what of that is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eactors.build.enclave_plan import enclave_plan
from eactors.build.framework import parts_of
from eactors.build.reach import Reach
from eactors.deployment.lives import unstartable
from eactors.deployment.model import Rate

if TYPE_CHECKING:
    from tests.plans import Planner

SOURCE = """
from eactors.services import Factory

class Keeper(Actor):
    factory = Factory()
    clerks = Connectors("clerk")

class Clerk(Actor, family="clerk"):
    keeper = Connector("Keeper")
    params = {"size": 1}

class Other(Actor):
    pass
"""
PLACES = "Keeper:1 | clerk:2 Other:2"


def settings(text: str, actor: str = "clerk") -> str:
    """Return the settings of an actor."""
    return f'<actor-settings actor="{actor}" {text}/>'


def test_instances_are_actors_beside_each_other(plan: Planner) -> None:
    """All on the worker and in the enclave of the one that the file names, with what it says of that."""
    extra = (
        settings('start="on-demand" instances="3" restart="on-failure" restarts="5 per 10"')
        + '<channel between="Keeper clerk" cipher="aes-256-gcm"/><param actor="clerk" name="size">7</param>'
        + '<network actor="clerk" sockets="5"/><network/>'
    )
    made = plan(SOURCE, PLACES, extra)
    clerks = [made.actors[f"clerk{number}"] for number in (1, 2, 3)]
    assert {(clerk.enclave, clerk.worker) for clerk in clerks} == {(2, 1)}
    assert [clerk.index for clerk in clerks] == [1, 2, 3]
    assert {clerk.params["size"] for clerk in clerks} == {7}
    assert {clerk.life.family for clerk in clerks} == {"clerk"}
    assert {(clerk.life.restart, clerk.life.failures) for clerk in clerks} == {(True, Rate(5, 10))}
    assert {str(channel) for channel in made.channels} == {
        f"Keeper.clerks.clerk{number} - clerk{number}.keeper" for number in (1, 2, 3)
    }
    assert {channel.cipher for channel in made.channels} == {"aes-256-gcm"}
    assert made.servers[0].workers[1].shares[0].actors == ("clerk1", "clerk2", "clerk3", "Other")
    limits = [(each.actor, each.sockets) for each in made.networks]
    assert limits == [("clerk1", 5), ("clerk2", 5), ("clerk3", 5), (None, 16384)]
    assert "clerk" not in made.actors
    assert not made.actors["Other"].life.may_begin_again
    assert not made.enclaves[2].life.may_begin_again


def test_what_an_image_has_for_them(plan: Planner) -> None:
    """Only the enclave that has such actors has what starts them; its peers open channels anew."""
    made = plan(SOURCE, PLACES, settings('start="on-demand" instances="2"'))
    reached = Reach(made.source, "app", (), {}, {}, {}, (), (), ())
    home, peer = (parts_of(enclave_plan(made, (0, enclave), {}, reached)) for enclave in (2, 1))
    assert home.variant == "vacancies-sealed"
    assert {"eactors.enclave.vacancies", "eactors.enclave.reopening"} <= set(home.modules)
    assert peer.variant == "plain-reopening-sealed"
    assert "eactors.enclave.vacancies" not in peer.modules


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('instances="2"', "has instances, but is not started on demand", 'add start="on-demand"'),
        (
            'restart="on-failure"',
            "may be started anew, but is not started on demand",
            'or set restart="on-failure" of its enclave',
        ),
        ('restarts="2 per 3"', "may be started anew, but is not started on demand", 'start="on-demand"'),
        ('start="later"', "cannot be 'later'", "write 'at-once' or 'on-demand'"),
        ('start="on-demand" restart="always"', "cannot be 'always'", "write 'never' or 'on-failure'"),
        ('start="on-demand" instances="0"', "is out of range: '0'", "write a number from 1 to 1024"),
    ],
)
def test_refusals(plan: Planner, text: str, message: str, hint: str) -> None:
    """Each names the setting, its line, and what would be right."""
    error = plan.refused(SOURCE, PLACES, settings(text))
    assert message in error.message
    assert error.hint is not None
    assert hint in error.hint
    assert error.line == plan.line_of("<actor-settings")


def test_an_actor_that_is_not_there(plan: Planner) -> None:
    """A slip of the pen is not an actor that is never started."""
    error = plan.refused(SOURCE, PLACES, settings('start="on-demand"', "clerc"))
    assert "<actor-settings> names the unknown actor 'clerc'" in error.message
    assert error.hint is not None
    assert "clerk" in error.hint


def test_settings_that_are_given_twice(plan: Planner) -> None:
    """One of them would be ignored."""
    error = plan.refused(SOURCE, PLACES, settings('start="on-demand"') * 2)
    assert "<actor-settings> of actor 'clerk' is given twice" in error.message


def test_an_actor_of_an_enclave_on_demand(plan: Planner) -> None:
    """Nobody could say which of the two a Factory is to start."""
    extra = settings('start="on-demand"') + '<enclave-settings enclave="2" start="on-demand"/>'
    error = plan.refused(SOURCE, "Keeper:1 | clerk:2", extra)
    assert "actor 'clerk' is started on demand, and so is its enclave 2" in error.message


def test_names_that_are_taken(plan: Planner) -> None:
    """An instance has a name of its own."""
    source = SOURCE + "\nclass Second(Actor, name='clerk2'):\n    keeper = Connector('Keeper')\n"
    error = plan.refused(source, PLACES + " clerk2:2", settings('start="on-demand" instances="2"'))
    assert "actor 'clerk' cannot have 2 instances: one of them would be called 'clerk2'" in error.message


def test_a_channel_to_another_server(plan: Planner) -> None:
    """What goes over the network is not opened anew."""
    servers = """
<data><actors><actor><id>0</id><name>Keeper</name></actor><actor><id>1</id><name>clerk1</name></actor></actors>
<servers>
<server><ip>a</ip><workers><worker><id>0</id><enclave><id>1</id><actors><actor>Keeper</actor></actors></enclave></worker>
</workers></server>
<server><ip>b</ip><workers><worker><id>0</id><enclave><id>2</id><actors><actor>clerk1</actor></actors></enclave></worker>
</workers></server>
</servers><actor-settings actor="clerk1" start="on-demand"/></data>"""
    with pytest.raises(Exception, match="goes to another server, but 'clerk1' is started on demand or anew"):
        plan.plan(SOURCE, servers)


def test_nobody_can_demand_it(plan: Planner) -> None:
    """One warning per kind of actor."""
    extra = settings('start="on-demand" instances="3"')
    assert list(unstartable(plan(SOURCE, PLACES, extra))) == []
    (words,) = unstartable(plan(SOURCE.replace("    factory = Factory()\n", ""), PLACES, extra))
    assert words.startswith("actor 'clerk' is started on demand, but no actor has a Factory")
