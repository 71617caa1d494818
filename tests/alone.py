"""A function in a fresh process with a single thread, which may fork: a test's own process may not."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def alone(
    function: Callable[Arguments, Result], *arguments: Arguments.args, **options: Arguments.kwargs
) -> Result:
    """Call a function of a module so; what it returns.

    Raises:
        AssertionError: It has raised something; with what it has written.
    """
    return alone_with({}, function, *arguments, **options)


def alone_with(
    environment: dict[str, str],
    function: Callable[Arguments, Result],
    *arguments: Arguments.args,
    **options: Arguments.kwargs,
) -> Result:
    """Likewise, with more in the environment."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.alone"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        input=pickle.dumps((function, arguments, options)),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    result: Result = pickle.loads(done.stdout)
    return result


if __name__ == "__main__":
    called, given, named = pickle.load(sys.stdin.buffer)
    sys.stdout.buffer.write(pickle.dumps(called(*given, **named)))
