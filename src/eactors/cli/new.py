"""``eactors new``: make a hello-world application."""

from __future__ import annotations

import keyword
from pathlib import Path

import click

from eactors.errors import EActorsError

_SOURCE = '''"""{name}: an actor that greets, and one that answers."""

from eactors import Actor, Cargo, Connector


class Hello(Actor):
    world = Connector("World")
    params = {{"greeting": "hello"}}

    def constructor(self) -> None:
        self.world.send(self.params["greeting"].encode())

    @world.on_message
    def answered(self, cargo: Cargo) -> None:
        print(cargo.data.decode())
        self.stop()


class World(Actor):
    hello = Connector("Hello")

    @hello.on_message
    def greeted(self, cargo: Cargo) -> None:
        self.hello.send(cargo.data + b", world")
'''

_DEPLOYMENT = """<?xml version="1.0" encoding="UTF-8"?>
<!-- Who runs where. Change the ids of the enclaves (0: untrusted), never the source. -->
<data>
  <actors>
    <actor><id>0</id><name>Hello</name></actor>
    <actor><id>1</id><name>World</name></actor>
  </actors>
  <servers>
    <server>
      <ip>localhost</ip>
      <workers>
        <worker>
          <id>0</id>
          <cpus><cpu>0</cpu></cpus>
          <enclave><id>1</id><actors><actor>Hello</actor></actors></enclave>
        </worker>
        <worker>
          <id>1</id>
          <cpus><cpu>1</cpu></cpus>
          <enclave><id>2</id><actors><actor>World</actor></actors></enclave>
        </worker>
      </workers>
    </server>
  </servers>
  <param actor="Hello" name="greeting">hello</param>
</data>
"""


@click.command(short_help="Make a hello-world application.")
@click.argument("name")
def new(name: str) -> None:
    r"""Make a folder NAME with a source, a deployment, and how to run them.

    \b
    Example:
        eactors new hello
    """
    folder = Path(name)
    stem = folder.name
    if not stem.isidentifier() or keyword.iskeyword(stem):
        raise EActorsError(f"{stem!r} cannot be the name of a Python file", hint="use letters, digits and _")
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise EActorsError(f"{folder} is there already", hint="choose another name, or remove it") from None
    except OSError as error:
        raise EActorsError(f"cannot make {folder}: {error.strerror}") from error
    (folder / f"{stem}.py").write_text(_SOURCE.format(name=stem), encoding="utf-8")
    (folder / f"{stem}.xml").write_text(_DEPLOYMENT, encoding="utf-8")
    click.echo(f"made {folder}; now run")
    click.echo(f"  eactors run {folder / stem}.py {folder / stem}.xml")
