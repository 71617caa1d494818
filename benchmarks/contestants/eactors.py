"""What EActors does: the applications in apps/, run as a user would."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

APPS = Path(__file__).parents[1] / "apps"
EXAMPLES = Path(__file__).parents[2] / "examples"
EACTORS = Path(sys.executable).parent / "eactors"
LARGEST = 512 * 1024
SEALED_NODE = 64 * 1024
"""Node payload for large encrypted messages: the receiver opens one while the next is sealed."""
ROOM = 2 * 1024 * 1024
"""Bytes that small messages may fill in a channel; large ones get eight nodes whatever they take."""


def run(
    source: Path | str, deployment: Path | str, params: dict[str, int], outcome: Path | None = None
) -> float:
    """Run an application of apps/, and return the rate that one of its actors prints."""
    command = [
        str(EACTORS),
        "run",
        str(APPS / source),
        str(APPS / deployment),
        *([] if outcome is None else ["--json", str(outcome)]),
    ]
    for name, value in params.items():
        command += ["--param", f"{name}={value}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"{source} with {deployment} failed:\n{done.stderr}")
    return float(json.loads(done.stdout)["per_second"]) if outcome is None else 0.0


def pingpong(rounds: int) -> float:
    """Return round trips of 16 bytes per second, handlers on both sides."""
    return run("pingpong.py", "pingpong.xml", {"Ping.rounds": rounds})


def encrypted(rounds: int, cipher: str) -> float:
    """Return round trips of 16 bytes per second over an encrypted channel."""
    text = (APPS / "encrypted.xml").read_text()
    channel = f'<channel between="Ping Pong" cipher="{cipher}"/></data>'
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        deployment = Path(folder) / "deployment.xml"
        deployment.write_text(text.replace("</data>", channel))
        return run("pingpong.py", deployment, {"Ping.rounds": rounds})


def network(rounds: int, cipher: str) -> float:
    """Return round trips of 16 bytes per second between two servers, over TCP on loopback."""
    text = (APPS / "network.xml").read_text().replace("CIPHER", cipher)
    addresses = []
    for name in ("FIRST", "SECOND"):
        with socket.create_server(("127.0.0.1", 0)) as free:
            addresses.append(f"127.0.0.1:{free.getsockname()[1]}")
        text = text.replace(f"127.0.0.1:{name}", addresses[-1])
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        deployment = Path(folder) / "deployment.xml"
        deployment.write_text(text)
        command = [str(EACTORS), "run", str(APPS / "pingpong.py"), str(deployment), "--param"]
        command += [f"Ping.rounds={rounds}", "--server"]
        with subprocess.Popen([*command, addresses[1]], stderr=subprocess.DEVNULL) as other:
            done = subprocess.run(
                [*command, addresses[0]], check=False, capture_output=True, text=True, timeout=120
            )
            if done.returncode != 0:
                other.kill()
                raise RuntimeError(f"network.xml failed:\n{done.stderr}")
    return float(json.loads(done.stdout)["per_second"])


def secure_sum(rounds: int) -> float:
    """Return sums per second of five parties' vectors of 1,000."""
    smc = EXAMPLES / "smc"
    return run(smc / "smc.py", smc / "five-parties.xml", {"first.rounds": rounds, "first.window": 32})


def mesh() -> dict[str, float]:
    """Return how long eight enclaves take until all 28 channels have keys, and their memory."""
    names = [f"node{number}" for number in range(1, 9)]
    actors = "".join(f"<actor><id>{at}</id><name>{name}</name></actor>" for at, name in enumerate(names))
    workers = "".join(
        f"<worker><id>{at}</id><cpus><cpu>{at % 2}</cpu></cpus>"
        f"<enclave><id>{at + 1}</id><actors><actor>{name}</actor></actors></enclave></worker>"
        for at, name in enumerate(names)
    )
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        deployment, outcome = Path(folder) / "mesh.xml", Path(folder) / "outcome.json"
        deployment.write_text(
            f"<data><actors>{actors}</actors><servers><server><ip>localhost</ip><workers>{workers}</workers>"
            "</server></servers></data>"
        )
        run("mesh.py", deployment, {}, outcome)
        enclaves = json.loads(outcome.read_text())["enclaves"]
    constructed = max(each["constructed_ns"] for each in enclaves)
    return {
        "seconds": (max(each["opened_ns"] for each in enclaves) - constructed) / 1e9,
        "mebibytes": max(each["memory_kib"] for each in enclaves) / 1024,
    }


def spawn(count: int) -> float:
    """Return the median of seconds from asking for an enclave to its first message."""
    return 1 / run("spawn.py", "spawn.xml", {"Keeper.count": count})


def stream(count: int) -> float:
    """Return messages of 16 bytes per second, one way."""
    return run("stream.py", "stream.xml", {"Source.count": count, "Sink.count": count})


def fan_in(count: int) -> float:
    """Return messages of 16 bytes per second from two producers over one mbox."""
    actors = ("Producer1", "Producer2", "Consumer")
    return run("fan_in.py", "fan_in.xml", {f"{actor}.count": count for actor in actors})


def blocks(size: int, count: int, *, copy: bool, cipher: str = "none") -> float:
    """Return messages of ``size`` bytes per second, written in place; read in place or from a copy."""
    window = max(8, min(1024, ROOM // size))
    largest = max(size, 64)
    node = largest if cipher == "none" else min(largest, SEALED_NODE)
    text = (APPS / ("copied.xml" if copy else "in-place.xml")).read_text()
    text = text.replace(f'node-size="{LARGEST}"', f'node-size="{node}"')
    text = text.replace(f'message-size="{LARGEST}"', f'message-size="{largest}"')
    text = text.replace('capacity="8"', f'capacity="{window * -(-largest // node)}"')
    text = text.replace('cipher="none"', f'cipher="{cipher}"')
    params = {"size": size, "count": count, "window": window}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        deployment = Path(folder) / "deployment.xml"
        deployment.write_text(text)
        given = {f"{actor}.{name}": value for actor in ("Source", "Sink") for name, value in params.items()}
        return run("blocks.py", deployment, given)
