"""Write docs/reference.md from the docstrings.

python tools/reference.py            write it
python tools/reference.py --check    only say whether it is up to date (status 1: it is not)
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import eactors
from eactors import _native, attested_tls, resources, services, store, web
from eactors.aio import AsyncActor
from eactors.answer import Answer
from eactors.cli.main import cli
from eactors.errors import EActorsError
from eactors.private import PrivateMbox
from eactors.services.clock import ClockClient, Timer
from eactors.services.connection import Connection
from eactors.services.console import ConsoleClient
from eactors.services.files import Entry, File, FilesClient, Stat, Watch
from eactors.services.handles import DatagramSocket
from eactors.services.names import NamesClient, NameWatch, Publisher
from eactors.services.pipes import Pipe, PipesClient
from eactors.services.sockets import Listener, NetworkClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"

INTRODUCTION = """\
<!-- Written by tools/reference.py from the docstrings: change those, then run `make docs`. -->

# Reference

Names are imported from `eactors`, unless it says otherwise. What a source *declares* in a class
(`Connector`, `Pool`, `Mbox`, `Store`) becomes, in each instance, the live object of the same name, whose
methods follow the declaration here. `body()` is the actor's own to define.
"""

# Each declared class, with the class of the live object if that is another.
CLASSES: tuple[tuple[type, type | None], ...] = (
    (eactors.Actor, None),
    (eactors.Connector, _native.Connector),
    (eactors.Connectors, None),
    (eactors.Cargo, None),
    (eactors.Pool, _native.Pool),
    (eactors.Mbox, _native.Mbox),
    (eactors.Node, None),
    (eactors.Placement, None),
    (AsyncActor, None),
)

# Each service, with what its client makes use of.
SERVICES: tuple[tuple[type, type, tuple[type, ...]], ...] = (
    (services.Clock, ClockClient, (Timer,)),
    (services.Console, ConsoleClient, ()),
    (services.Files, FilesClient, (File, Stat, Entry, Watch)),
    (services.Names, NamesClient, (Publisher, NameWatch)),
    (services.Network, NetworkClient, (Listener, Connection, DatagramSocket)),
    (services.Pipes, PipesClient, (Pipe,)),
)

# How the runtime sets an object up is nothing for applications.
_INTERNAL = {
    "abandon",
    "bound",
    "codec",
    "event",
    "handlers",
    "live",
    "rest",
    "settle",
    "unwatch",
    "wait",
    "waits",
}
_PUBLIC: dict[type, set[str]] = {FilesClient: {"settle"}}
_ONLY_PRIVATE = {"push_front", "pop_back"}
_SECTION = re.compile(r"(Args|Attributes|Class keywords|Raises|Returns):")
_ENTRY = re.compile(r"(\*{0,2}\w+): (.*)")


def reference() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for declared, live in CLASSES:
        parts.append(f"## {declared.__name__}\n")
        parts.extend(class_parts(declared))
        if live is not None:
            parts.append(f"### A live {declared.__name__}\n")
            parts.extend(class_parts(live))
    for module in (attested_tls, resources, store, web):
        parts.append(f"## Module `{module.__name__}`\n")
        parts.extend(module_parts(module))
    parts.append("## Module `eactors.services`\n")
    parts.extend(service_parts())
    parts.append("## Errors\n")
    parts.append("All derive from `EActorsError`.\n")
    parts.extend(error_parts())
    parts.append("## Command line\n")
    parts.extend(command_parts())
    return "\n".join(parts)


def class_parts(cls: type) -> Iterator[str]:
    """A class's docstring, then its members."""
    yield markdown(inspect.getdoc(cls) or "")
    for name, member in members(cls):
        yield entry(cls, name, member)


def module_parts(module: ModuleType) -> Iterator[str]:
    """A module's docstring, its classes, functions, and errors."""
    yield markdown(inspect.getdoc(module) or "")
    public = {name: getattr(module, name) for name in module.__all__}
    for name, value in public.items():
        if isinstance(value, type) and not issubclass(value, EActorsError):
            yield f"### {name}\n"
            yield from class_parts(value)
    functions = [(name, value) for name, value in public.items() if inspect.isfunction(value)]
    if functions:
        yield "### Functions\n"
        for name, value in functions:
            yield entry(type(module), name, value)
    yield "### Errors of this module\n"
    for name, value in public.items():
        if isinstance(value, type) and issubclass(value, EActorsError):
            yield _error(name, "", value)


def service_parts() -> Iterator[str]:
    """What a source declares to use system actors, their clients, and the errors."""
    yield "System actors do for actors what enclaves cannot. Each service takes `declassify`.\n"
    yield "### Answer\n"
    yield from class_parts(Answer)
    for service, client, others in SERVICES:
        yield f"### {service.__name__}\n"
        yield markdown(inspect.getdoc(service) or "")
        for cls in (client, *others):
            yield f"#### {cls.__name__}\n"
            yield markdown(inspect.getdoc(cls) or "")
            for name, member in vars(cls).items():
                if (
                    callable(member)
                    and not name.startswith("_")
                    and name not in _INTERNAL - _PUBLIC.get(cls, set())
                ):
                    yield entry(cls, name, member)
    yield "### Errors of this module\n"
    for error in (services.SystemActorError, services.SystemActorMisbehaved):
        also = " (also an `OSError`)" if issubclass(error, OSError) else ""
        yield _error(error.__name__, also, error)


def members(cls: type) -> Iterator[tuple[str, Any]]:
    """The public members with docstrings, those of our own base classes included."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.split(".")[0] == "eactors":
            found.update(vars(base))
    for name, member in found.items():
        if name.startswith("_") or name in _INTERNAL or not inspect.getdoc(getattr(cls, name, None)):
            continue
        if isinstance(member, classmethod):
            yield name, getattr(cls, name)
        elif callable(member) or isinstance(member, property) or inspect.isdatadescriptor(member):
            yield name, member


def entry(cls: type, name: str, member: Any) -> str:
    """One method or attribute, as an item of a list."""
    documented = member
    if cls is _native.Mbox and name in _ONLY_PRIVATE:
        documented = getattr(PrivateMbox, name)  # the public one only refuses
    text = markdown(inspect.getdoc(documented) or "")
    if documented is not member:
        text = f"Private mboxes only. {text}"
    first, *rest = text.rstrip().split("\n")
    below = "".join(f"\n  {line}".rstrip() for line in rest)
    return f"- **`{name}{signature(member) if callable(member) else ''}`** {first}{below}\n"


def signature(function: Any) -> str:
    """What a caller writes, without ``self`` and the slash of positional arguments."""
    parameters = [
        str(parameter.replace(annotation=parameter.empty))
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "self"
    ]
    return f"({', '.join(parameters)})"


def markdown(text: str) -> str:
    """A docstring as Markdown."""
    lines: list[str] = []
    indented = False
    for line in text.splitlines():
        if _SECTION.fullmatch(line):
            indented = True
            lines += [f"{line}", ""]
        elif indented and line.startswith("    "):
            match = None if line.startswith("     ") else _ENTRY.fullmatch(line.strip())
            lines.append(f"- `{match[1]}`: {match[2]}" if match else f"  {line.strip()}")
        else:
            lines.append(line)
    joined = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", "\n".join(lines))
    return joined.replace("``", "`") + "\n"


def error_parts() -> Iterator[str]:
    """Every public error."""
    for name in eactors.__all__:
        value = getattr(eactors, name)
        if isinstance(value, type) and issubclass(value, EActorsError):
            also = [base.__name__ for base in value.__bases__ if base not in (EActorsError, Exception)]
            kind = f" (also a `{also[0]}`)" if also else ""
            yield _error(name, kind, value)


def _error(name: str, kind: str, value: type) -> str:
    first, *rest = markdown(inspect.getdoc(value) or "").rstrip().split("\n")
    return f"- **`{name}`**{kind} {first}" + "".join(f"\n  {line}".rstrip() for line in rest) + "\n"


def command_parts() -> Iterator[str]:
    """Every command with its arguments and options, and those of a group behind it."""
    for name, command in _commands(cli):
        arguments = [p for p in command.params if isinstance(p, click.Argument)]
        options = [p for p in command.params if isinstance(p, click.Option)]
        usage = " ".join(
            ["eactors", name, *(["[OPTIONS]"] if options else []), *(_metavar(a) for a in arguments)]
        )
        yield f"### `{usage}`\n"
        yield (
            re.sub(r"(?:\x08|\\b)\s*\n", "", inspect.cleandoc(command.help or "")).replace(
                "    eactors", "\n    eactors"
            )
            + "\n"
        )
        for option in options:
            value = "" if option.is_flag else f" {option.metavar or option.name}"
            yield f"- **`{', '.join(option.opts)}{value}`** {option.help}\n"


def _commands(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", each) for below, each in _commands(command))


def _metavar(argument: click.Argument) -> str:
    return (argument.metavar or argument.name or "").upper()


def main(arguments: list[str]) -> int:
    """Write the page, or check it."""
    text = reference()
    if "--check" not in arguments:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PAGE.name} is out of date; run: make docs", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
