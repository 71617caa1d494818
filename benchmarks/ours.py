"""Our contestants: applications run by the command line, as a user runs them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

APPS = Path(__file__).parent / "apps"


def deployment(places: list[tuple[str, str | None, int]], extra: str = "") -> str:
    """A deployment that gives each (actor, class, CPU) an enclave and a worker of its own."""
    actors = workers = ""
    for number, (actor, cls, cpu) in enumerate(places):
        named = f"<class>{cls}</class>" if cls else ""
        actors += f"<actor><id>{number}</id><name>{actor}</name>{named}</actor>"
        workers += (
            f"<worker><id>{number}</id><cpus><cpu>{cpu}</cpu></cpus><enclave><id>{number + 1}</id>"
            f"<actors><actor>{actor}</actor></actors></enclave></worker>"
        )
    servers = f"<servers><server><ip>localhost</ip><workers>{workers}</workers></server></servers>"
    return f"<data><actors>{actors}</actors>{servers}{extra}</data>"


def run(app: str, xml: str, *params: str) -> float:
    """Run one application; the figure that it prints."""
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(xml)
        file.flush()
        given = [word for param in params for word in ("--param", param)]
        command: list[str | Path] = [
            Path(sys.executable).parent / "eactors",
            "run",
            APPS / f"{app}.py",
            file.name,
            *given,
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return float(done.stdout)


def pingpong() -> float:
    """Round trips per second between two enclaves."""
    return run("pingpong", deployment([("Ping", None, 0), ("Pong", None, 1)]), "Ping.count=500000")


def stream() -> float:
    """Messages of 16 bytes per second, one way."""
    return sized(16, 2_000_000)


def sized(size: int, count: int, *, place: bool = False) -> float:
    """Messages of one size per second, copied by the receiver or read in place."""
    receiver = "InPlace" if place else "Receiver"
    limits = f'node-size="{size}" message-size="{size}"' + (' capacity="8"' if size > 1 << 14 else "")
    extra = f'<channel between="Sender Receiver" {limits}/>'
    xml = deployment([("Sender", None, 0), ("Receiver", receiver, 1)], extra)
    common = [
        f"{actor}.{name}={value}"
        for actor in ("Sender", "Receiver")
        for name, value in (("count", count), ("size", size))
    ]
    return run("stream", xml, *common, f"Sender.place={int(place)}")


def merge() -> float:
    """Messages per second of two producers into one consumer over one mbox."""
    places: list[tuple[str, str | None, int]] = [
        ("producer1", None, 0),
        ("producer2", None, 0),
        ("consumer", None, 1),
    ]
    params = ["producer1.count=300000", "producer2.count=300000", "consumer.count=600000"]
    return run("merge", deployment(places, '<pool name="nodes" nodes="512" size="64"/>'), *params)
