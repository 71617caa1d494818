"""Say in words that a module is not in the image, where Python would say that there is none.

The build takes into an image what it has seen imported. What is imported later, under a
name that is computed, or by a function of an installed package, has to be declared.
"""

from __future__ import annotations

import sys

from eactors.errors import ModuleNotInImage


def install(title: str = "this enclave") -> None:
    """Explain every import that finds nothing.

    Args:
        title: What to call the enclave.
    """
    sys.meta_path.append(_Missing(title))


class _Missing:
    """Is asked last for every module; what has got here is not in the image."""

    def __init__(self, title: str) -> None:
        self._title = title

    def find_spec(self, fullname: str, *_: object) -> None:
        """Refuse, as an ImportError: who can do without the module catches that.

        Raises:
            ModuleNotInImage: Someone imports it, and does not only ask whether it is there.
        """
        frame = sys._getframe(1)  # noqa: SLF001 - the stack tells who asks
        while frame.f_back is not None and "importlib" in frame.f_code.co_filename:
            if frame.f_code.co_name == "find_spec":
                return
            frame = frame.f_back
        error = ModuleNotInImage(
            f"the module {fullname} is not in the image of {self._title}",
            hint=f'declare requires = ("{fullname}",) in the actor\'s class, or'
            f' <requires enclave="..." module="{fullname}"/> in the deployment',
        )
        error.name = fullname
        raise error
