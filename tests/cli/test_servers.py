"""Several servers in one deployment, each in a process of its own, over loopback."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from tests.servers import EACTORS, Ended, Servers, end_of, started, wait_for_line

from eactors.bridge.wire import Hello, hello_in
from eactors.host.errors import LaunchError
from eactors.host.servers import place_of

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.host.deployed import Deployed

COUNT = """
class Ping(Actor):
    pong = Connector("Pong")
    params = {"rounds": 2000}

    def constructor(self):
        self.sent = self.got = 0
        self.more()

    def more(self):
        while self.sent < self.params["rounds"] and self.sent < self.got + 100:
            self.pong.send(b"%d" % self.sent)
            self.sent += 1

    @pong.on_message
    def answered(self, cargo):
        if cargo.data != b"%d" % self.got:
            raise ValueError(f"{cargo.data} where {self.got} was to come")
        self.got += 1
        self.more()
        if self.got == self.params["rounds"]:
            print("all", self.got)
            self.stop()

class Pong(Actor):
    ping = Connector("Ping")

    @ping.on_message
    def asked(self, cargo):
        self.ping.send(cargo.data)
"""

IDLE = """
class Ping(Actor):
    pong = Connector("Pong")

    @pong.on_message
    def answered(self, cargo):
        {ping}

class Pong(Actor):
    ping = Connector("Ping")

    def constructor(self):
        self.ping.send(b"go")

    @ping.on_message
    def asked(self, cargo):
        {pong}
"""


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("enclaves", [(0, 0), (1, 0), (1, 2)])
def test_a_channel_goes_on_to_another_server(
    tmp_path: Path, enclaves: tuple[int, int], order: tuple[int, int]
) -> None:
    """In any start order, in the clear or encrypted: all messages, in order, and both end well."""
    first, second = Servers(tmp_path, COUNT, enclaves=enclaves).run(*order)
    assert first == Ended(0, "all 2000\n", "")
    assert second == Ended(0, "", "")
    assert not [file.name for file in tmp_path.iterdir() if file.name.startswith("eactors-")]


def test_messages_larger_than_all_that_may_be_on_the_way(tmp_path: Path) -> None:
    """They travel in frames, and a slow reader holds the sender up, not the memory."""
    source = """
class Ping(Actor):
    pong = Connector("Pong")

    def constructor(self):
        for byte in b"abc":
            self.pong.send(bytes((byte,)) * 5_000_000)
        self.stop()

class Pong(Actor):
    ping = Connector("Ping")

    @ping.on_message
    def asked(self, cargo):
        print(len(cargo.data), cargo.data[:1], len(set(cargo.data)))
"""
    channel = '<channel between="Ping Pong" capacity="4" node-size="4096" message-size="5000000"/>'
    first, second = Servers(tmp_path, source, channel, (1, 2)).run()
    assert (first.status, first.stderr) == (0, "")
    assert second == Ended(0, "5000000 b'a' 1\n5000000 b'b' 1\n5000000 b'c' 1\n", "")


def test_a_built_deployment_runs_on_each_server(tmp_path: Path) -> None:
    """Built once, and copied."""
    servers = Servers(tmp_path, COUNT, enclaves=(1, 2))
    built, copy = tmp_path / "built", tmp_path / "copy"
    command = [str(EACTORS), "build", str(servers.source), str(servers.deployment), "-o", str(built)]
    subprocess.run(command, check=True, capture_output=True)
    shutil.copytree(built, copy)
    with started([servers.start(0, target=[built]), servers.start(1, target=[copy])]) as processes:
        assert [end_of(process) for process in processes] == [Ended(0, "all 2000\n", ""), Ended(0, "", "")]


# ---- how it ends ----


def test_an_exit_on_one_server_ends_all_with_its_status(tmp_path: Path) -> None:
    """As if they were one."""
    first, second = Servers(tmp_path, IDLE.format(ping="self.exit(7)", pong="pass")).run()
    assert (first.status, second.status) == (7, 7)
    assert (first.stderr, second.stderr) == ("", "")


def test_a_failure_on_one_server_ends_all(tmp_path: Path) -> None:
    """The others say where it was."""
    servers = Servers(tmp_path, IDLE.format(ping="raise ValueError('no')", pong="pass"))
    first, second = servers.run()
    assert (first.status, second.status) == (1, 1)
    assert "error: actor 'Ping' failed: ValueError: no" in first.stderr
    assert second.stderr == (
        f"error: on server '{servers.addresses[0]}': actor 'Ping' failed: ValueError: no\n"
        "hint: see what that server says\n"
    )


@pytest.mark.parametrize("at", [0, 1])
def test_ctrl_c_on_one_server_ends_all(tmp_path: Path, at: int) -> None:
    """The one that was interrupted with 130, the other with a failure that says so."""
    servers = Servers(tmp_path, IDLE.format(ping="print('ready', flush=True)", pong="pass"))
    with started([servers.start(0), servers.start(1)]) as processes:
        assert processes[0].stdout is not None
        assert processes[0].stdout.readline() == "ready\n"
        processes[at].send_signal(signal.SIGINT)
        ended = [end_of(process) for process in processes]
    assert ended[at].status == 130
    assert ended[at].stderr == ""
    assert ended[1 - at].status == 1
    assert f"error: on server '{servers.addresses[at]}': it was interrupted" in ended[1 - at].stderr


def test_a_server_that_never_comes_is_waited_for(tmp_path: Path) -> None:
    """With a notice, and until Ctrl-C."""
    servers = Servers(tmp_path, COUNT)
    with started([servers.start(0)]) as (process,):
        wait_for_line(process, f"notice: waiting for server '{servers.addresses[1]}'")
        process.send_signal(signal.SIGINT)
        assert end_of(process) == Ended(130, "", "")


# ---- bad input ----


def test_an_address_that_is_in_no_server(tmp_path: Path) -> None:
    """Nothing is started; what is near is named."""
    servers = Servers(tmp_path, COUNT)
    with started([servers.start(0, address="127.0.0.9")]) as (process,):
        ended = end_of(process)
    assert ended.status == 2
    assert ended.stderr.startswith("error: the deployment has no server '127.0.0.9'\nhint: ")


def test_an_address_without_its_port() -> None:
    """The server of that address is meant, and not one with as many letters in common."""
    there = SimpleNamespace(servers=[SimpleNamespace(address=f"127.0.0.{n}:4871") for n in range(1, 4)])
    for n in range(1, 4):
        with pytest.raises(LaunchError) as info:
            place_of(cast("Deployed", there), f"127.0.0.{n}")
        assert info.value.hint is not None
        assert info.value.hint.startswith(f"did you mean '127.0.0.{n}:4871'?")


def test_an_address_that_is_not_given(tmp_path: Path) -> None:
    """Which of them this machine is, nobody can know."""
    servers = Servers(tmp_path, COUNT)
    command = [str(EACTORS), "run", str(servers.source), str(servers.deployment)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        "error: the deployment has 2 servers, and it is not said which one this machine is\n"
        f"hint: give --server with one of {', '.join(servers.addresses)}\n"
    )


@pytest.mark.parametrize("at", [0, 1])
def test_two_processes_for_one_server(tmp_path: Path, at: int) -> None:
    """The second does not even begin, and the first goes on."""
    servers = Servers(tmp_path, COUNT)
    with started([servers.start(at)]) as (process,):
        wait_for_line(process, "notice: waiting for server")
        with started([servers.start(at)]) as (second,):
            ended = end_of(second)
        with started([servers.start(1 - at)]) as (other,):
            assert [end_of(process).status, end_of(other).status] == [0, 0]
    host, _, port = servers.addresses[at].partition(":")
    assert ended.status == 2
    assert ended.stderr.startswith(
        f"error: server '{servers.addresses[at]}' cannot listen on port {port} of {host}: Address already in"
    )
    assert "hint: another process runs this server already, or another program has the port" in ended.stderr


def test_an_address_that_this_machine_does_not_have(tmp_path: Path) -> None:
    """192.0.2.0/24 is for documentation, and nobody's."""
    servers = Servers(tmp_path, COUNT)
    servers.deployment.write_text(servers.text(["192.0.2.1", servers.addresses[1]]))
    with started([servers.start(0, address="192.0.2.1")]) as (process,):
        ended = end_of(process)
    assert ended.status == 2
    assert "hint: this machine does not have that address" in ended.stderr


def test_two_builds_refuse_each_other(tmp_path: Path) -> None:
    """Who connects fails; who listens says that it has refused someone, and goes on waiting."""
    servers = Servers(tmp_path, COUNT)
    with started([servers.start(0)]) as (first,):
        wait_for_line(first, "notice: waiting for server")
        servers.source.write_text(servers.source.read_text() + "    # Another.\n")
        with started([servers.start(1, "--param", "Ping.rounds=3")]) as (second,):
            ended = end_of(second)
        wait_for_line(first, "notice: refused a server at 127.0.0.1: it runs another build of the deployment")
    assert ended.status == 1
    assert ended.stderr == (
        f"error: server '{servers.addresses[0]}' runs another build of the deployment than this one\n"
        "hint: build once with 'eactors build', and copy the folder to every server\n"
    )


def test_a_peer_of_an_older_wire_version(tmp_path: Path) -> None:
    """It hears who this is, and this side says which version it speaks."""
    servers = Servers(tmp_path, COUNT)
    host, _, port = servers.addresses[0].partition(":")
    with started([servers.start(0)]) as (process,):
        wait_for_line(process, "notice: waiting for server")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(Hello(bytes(32), 1, 0, bytes(16)).pack(version=0))
            answer = connection.recv(200)
        wait_for_line(process, "notice: refused a server at 127.0.0.1: it speaks wire version 0")
    hello = hello_in(answer)
    assert hello is not None
    assert hello.server == 0


def test_a_server_of_an_older_wire_version(tmp_path: Path) -> None:
    """Who connects to it ends, and says what to do."""
    servers = Servers(tmp_path, COUNT)
    host, _, port = servers.addresses[0].partition(":")
    with socket.create_server((host, int(port))) as listener, started([servers.start(1)]) as (process,):
        connection, _ = listener.accept()
        with connection:
            connection.sendall(Hello(bytes(32), 0, 1, bytes(16)).pack(version=0))
            ended = end_of(process)
    assert ended == Ended(
        1,
        "",
        f"error: server '{servers.addresses[0]}' speaks wire version 0, and this one another\n"
        "hint: install the same version of eactors on all servers\n",
    )


def test_strangers_are_shown_out(tmp_path: Path) -> None:
    """What they say, and that they say nothing, harms nobody."""
    servers = Servers(tmp_path, COUNT)
    host, _, port = servers.addresses[0].partition(":")
    with started([servers.start(0)]) as (process,):
        wait_for_line(process, "notice: waiting for server")
        silent = socket.create_connection((host, int(port)), timeout=10)
        with silent, socket.create_connection((host, int(port)), timeout=10) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert stranger.recv(100) == b""
            with started([servers.start(1)]) as (other,):
                assert [end_of(process).status, end_of(other).status] == [0, 0]


def test_a_server_that_was_killed_and_started_again(tmp_path: Path) -> None:
    """What it had been told is lost, and both say so instead of going on with a gap."""
    servers = Servers(tmp_path, IDLE.format(ping="print('ready', flush=True)", pong="pass"))
    with started([servers.start(0), servers.start(1)]) as (first, second):
        assert first.stdout is not None
        assert first.stdout.readline() == "ready\n"
        second.kill()
        second.communicate()
        with started([servers.start(1)]) as (again,):
            ended = [end_of(first), end_of(again)]
    assert [each.status for each in ended] == [1, 1]
    assert "was started anew, or twice, and what was sent before is lost" in ended[0].stderr
    assert "has been connected with another process for this server" in ended[1].stderr
