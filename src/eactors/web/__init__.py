"""Sites in an enclave: ASGI applications over TLS that ends there, and files from memory.

`Site` serves any ASGI application by uvicorn; `Assets` is such an application, for static files.
Only images whose source imports this have it. See docs/design/https.md.
"""

from eactors.web.assets import Assets
from eactors.web.domain import Domain
from eactors.web.server import SiteError
from eactors.web.site import Site

__all__ = ["Assets", "Domain", "Site", "SiteError"]
