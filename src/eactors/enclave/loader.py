"""Loading an application's source file.

In an enclave its code is called by its place in the image, such as ``app/pingpong.py``: where
the run keeps its copy is nothing to show, while the host knows which of the user's files each
place means.
"""

from __future__ import annotations

import sys
from types import ModuleType


def execute(path: str, name: str, shown: str) -> ModuleType:
    """Execute a source file as module ``name``.

    Args:
        path: The file to read.
        name: The module's name.
        shown: The path that tracebacks show.

    Raises:
        Exception: Whatever the file raises, and SyntaxError.
    """
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib would cost every enclave its memory
        code = compile(file.read(), shown, "exec", dont_inherit=True)
    module = ModuleType(name)
    module.__file__ = shown
    # Typed messages look their annotations up in the module by its name.
    sys.modules[name] = module
    exec(code, module.__dict__)  # noqa: S102 - this is what running an application is
    return module
