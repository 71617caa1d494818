"""Say in words why a sealed enclave refused something.

The kernel refuses by itself, but it can say no more than "operation not permitted". Most
of what Python does through the operating system is announced to audit hooks first, and so
we can name the actor, what it tried, and the way out. This is a courtesy: what no hook
hears of (os.read, os.pipe, os.stat), or code that gets round the hook, meets the filter.

The hook runs for every event of the interpreter, `id()` included, and cannot be removed.
"""

from __future__ import annotations

import _imp
import sys

from eactors.errors import SandboxViolation

TYPE_CHECKING = False  # importing typing would cost every enclave its memory
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_WATCHED = (
    "open",
    "os.",
    "socket.",
    "subprocess.",
    "shutil.",
    "glob.",
    "pathlib.",
    "ctypes.dlopen",
    "_thread.start",  # from CPython 3.12 on; before, the bare RuntimeError
)
# These change the copy of the environment inside the process, without a system call.
_HARMLESS = ("os.putenv", "os.unsetenv")
_NAMES = {"socket.__new__": "socket.socket", "os.exec": "os.execve", "ctypes.dlopen": "ctypes.CDLL"}
_SHOWN = 80


def install(current_actor: Callable[[], str | None]) -> None:
    """Turn what this sealed process tries in vain into `SandboxViolation`.

    Args:
        current_actor: Returns the name of the actor that the calling thread executes, or
            None outside of any. It must itself raise no watched event.
    """

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(_WATCHED) and event not in _HARMLESS:
            raise _violation(event, arguments, current_actor())

    sys.addaudithook(hook)
    # Not the event "import": importlib.import_module does not raise it.
    sys.meta_path.insert(0, _LateImports(current_actor))


def worded(actor: str, error: BaseException) -> BaseException:
    """Name the culprit of a system call that no audit hook announced."""
    if not isinstance(error, PermissionError) or isinstance(error, SandboxViolation):
        return error
    violation = SandboxViolation(
        f"actor {actor!r} made a system call that its enclave refuses: {error}",
        actor=actor,
        hint="use a system actor, or place this one in enclave 0, the untrusted side",
    )
    return violation.with_traceback(error.__traceback__)


class _LateImports:
    """Is asked first for every module that is not loaded yet, and refuses it.

    Without it the finders of files would take the refused system calls for missing files,
    and the actor would be told that a module does not exist which does.
    """

    def __init__(self, current_actor: Callable[[], str | None]) -> None:
        self._current_actor = current_actor

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the signature of a meta path finder
        target: ModuleType | None = None,  # noqa: ARG002
        /,
    ) -> ModuleSpec | None:
        """Leave what lies in the interpreter itself to the next finder, refuse the rest.

        Raises:
            SandboxViolation: The module would have to be read from a file.
        """
        if fullname in sys.builtin_module_names or _imp.is_frozen(fullname):
            return None
        actor = self._current_actor()
        if fullname == "encodings.idna":  # what socket turns a host's name into bytes with
            raise _refusal("look up the name of a host", actor)
        raise SandboxViolation(
            f"{_who(actor)} cannot import {fullname}: an enclave loads no code once its actors are"
            " constructed; import it at the top of the source file instead",
            actor=actor,
            hint=f"put 'import {fullname}' at the top of the source file",
        )


def _violation(event: str, arguments: tuple[object, ...], actor: str | None) -> SandboxViolation:
    if event.startswith("_thread."):
        return SandboxViolation(
            f"{_who(actor)} cannot start a thread: those of an enclave are the workers of the deployment",
            actor=actor,
            hint="make that work an actor, and place it on a worker of its own",
        )
    return _refusal(f"call {_call(event, arguments)}", actor)


def _refusal(what: str, actor: str | None) -> SandboxViolation:
    return SandboxViolation(
        f"{_who(actor)} cannot {what} from inside an enclave: only a system actor can",
        actor=actor,
        hint="use a system actor, or place this one in enclave 0, the untrusted side",
    )


def _who(actor: str | None) -> str:
    return "code outside of any actor" if actor is None else f"actor {actor!r}"


def _call(event: str, arguments: tuple[object, ...]) -> str:
    name = _NAMES.get(event, event)
    # Exact types: the repr of anything else is code of the actor's, or as long as it likes.
    if not arguments or type(arguments[0]) not in (str, bytes, int):
        return f"{name}()"
    shown = repr(arguments[0])
    return f"{name}({shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '...'})"
