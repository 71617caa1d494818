"""Modules of the standard library that load others in ways of their own."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import App


def test_random_numbers_seeded_with_text(app: App) -> None:
    """What hashes the text is imported only when it is needed, since 3.13; nobody has to declare it."""
    app.write(
        """
        import random
        class A(Actor):
            def constructor(self):
                print(random.Random("seed").randrange(10**9))
                self.exit()
        """,
        "A:1",
    )
    done = app.run()
    assert (done.returncode, done.stdout) == (0, f"{random.Random('seed').randrange(10**9)}\n"), done.stderr


def test_a_module_that_puts_another_in_its_place(app: App) -> None:
    """As collections.abc does since Python 3.13: its own file is in the image all the same."""
    app.write(
        """
        import collections.abc
        class A(Actor):
            def constructor(self):
                print(collections.abc.Sized.__name__)
                self.exit()
        """,
        "A:1",
    )
    done = app.run()
    assert (done.returncode, done.stdout) == (0, "Sized\n"), done.stderr
