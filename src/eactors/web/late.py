"""What frameworks of the web load when they first use it: all of anyio, loaded at once.

Starlette and FastAPI wait with it, and a sealed enclave has no files to load from. Without them
there is no anyio either.
"""

from __future__ import annotations

try:
    import anyio
    import anyio._backends._asyncio
    import anyio.lowlevel
except ImportError:
    pass
else:
    for _name in dir(anyio):
        getattr(anyio, _name)
