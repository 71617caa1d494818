"""An application's source file, and the actor classes that it declares."""

from __future__ import annotations

import difflib
import sys
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

from eactors.actor import Actor
from eactors.deployment.errors import DeploymentError
from eactors.enclave.loader import execute
from eactors.errors import EActorsError, SourceError
from eactors.placement import family_index

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from eactors.deployment.model import DeployedActor, Deployment


class Source:
    """A source file that has been imported.

    Attributes:
        path: The file.
        module: What its import made.
        classes: Its actor classes by class name, in the order of their definition.
    """

    def __init__(self, path: Path, module: ModuleType) -> None:
        self.path = path
        self.module = module
        self.classes: dict[str, type[Actor]] = {
            cls.__name__: cls
            for cls in vars(module).values()
            if isinstance(cls, type) and issubclass(cls, Actor) and cls.__module__ == module.__name__
        }
        names: dict[str, str] = {}
        for cls in self.classes.values():
            other = names.setdefault(cls.__eactors__.name, cls.__name__)
            if other != cls.__name__:
                raise SourceError(
                    f"{path}: the classes {other} and {cls.__name__} are both named {cls.__eactors__.name!r}",
                    hint="give one of them another name=",
                )

    def find(self, actor: DeployedActor, deployment: Deployment) -> tuple[type[Actor], int | None]:
        """The class of a deployed actor, and the actor's number if the class claims a family.

        Raises:
            DeploymentError: The source has no such class.
        """
        if actor.of is not None:
            one = replace(actor, name=actor.of, of=None)
            claim = {cls.__eactors__.family: cls for cls in self.classes.values()}
            claiming = None if one.class_name is not None else claim.get(actor.of)
            return claiming or self.find(one, deployment)[0], actor.index
        if actor.class_name is not None:
            cls = self.classes.get(actor.class_name)
            if cls is None:
                raise self._unknown(f"class {actor.class_name!r}", actor, deployment, list(self.classes))
            return cls, family_index(actor.name, cls.__eactors__.family or actor.class_name)
        for cls in self.classes.values():
            if cls.__eactors__.name == actor.name:
                return cls, None
        for cls in self.classes.values():
            family = cls.__eactors__.family
            index = None if family is None else family_index(actor.name, family)
            if index is not None:
                return cls, index
        known = [cls.__eactors__.name for cls in self.classes.values()]
        members = [f"{cls.__eactors__.family}1" for cls in self.classes.values() if cls.__eactors__.family]
        raise self._unknown(f"actor {actor.name!r}", actor, deployment, known + members)

    def _unknown(
        self, what: str, actor: DeployedActor, deployment: Deployment, known: list[str]
    ) -> DeploymentError:
        close = difflib.get_close_matches(actor.class_name or actor.name, known, n=1)
        has = ", ".join(known) or "no actor classes at all"
        return DeploymentError(
            f"{self.path.name} has no {what}; it has {has}",
            file=deployment.file,
            line=actor.line,
            hint=f"did you mean {close[0]!r}?" if close else "name it after a class, or give it a <class>",
        )


def read_source(path: Path) -> Source:
    """Import a source file.

    Raises:
        SourceError: It cannot be read, or raises when imported.
    """
    path = path.resolve()
    sys.path.insert(0, str(path.parent))
    try:
        module = execute(str(path), module_name(path), str(path))
    except EActorsError as error:
        raise SourceError(f"{path}: {error}", hint=error.hint) from error
    except OSError as error:
        if error.filename != str(path):
            raise _raised(path, error) from error
        raise SourceError(
            f"cannot read {path}: {error.strerror}", hint="give the path of a Python file"
        ) from error
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise _raised(path, error) from error
    finally:
        sys.path.remove(str(path.parent))
    source = Source(path, module)
    if not source.classes:
        raise SourceError(f"{path} defines no actors", hint="derive a class from eactors.Actor")
    return source


def module_name(path: Path) -> str:
    """What the source file is called as a module; never like one that it may want to import."""
    taken = path.stem == "eactors" or path.stem in sys.stdlib_module_names
    return f"{path.stem}_app" if taken else path.stem


def _raised(path: Path, error: BaseException) -> SourceError:
    """The error of an import, with the traceback from the user's file on."""
    trace = traceback.TracebackException.from_exception(error)
    frames = list(trace.stack)
    first = next((i for i, frame in enumerate(frames) if frame.filename == str(path)), len(frames))
    trace.stack = traceback.StackSummary.from_list(frames[first:])
    raised = SourceError(f"{path} cannot be imported: {type(error).__name__}: {error}")
    raised.add_note("".join(trace.format(chain=False)).rstrip())
    return raised
