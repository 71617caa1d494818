"""What an enclave's actors use of it besides channels: sealing, reports, quotes, provisioned files.

Seen in the source, whatever it is called on; and where the source looks names up in a way that
cannot be seen, all of it. An enclave without a power that an actor asks for in spite of that,
say through a package, refuses in words that say what to declare.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eactors.build.reach import Reach

_WORDS = {
    "provisioning": "provisioned",
    "quotes": "quote|attested_tls",
    "reports": "report",
    "sealing": "seal",
}
_UNSEEN = re.compile(
    r"\b(getattr|attrgetter|methodcaller|__getattribute__|__dict__|vars|getmembers|eval|exec)\b"
)


def powers_of(reach: Reach) -> list[str]:
    """The powers that what an enclave has of the source may ask for, sorted."""
    sources = [content.decode() for place, content in reach.files.items() if place.startswith("app/")]
    text = "\n".join([*sources, *(late.module for late in reach.late)])
    if _UNSEEN.search(text):
        return sorted(_WORDS)
    return sorted(power for power, word in _WORDS.items() if re.search(word, text) or power in text)
