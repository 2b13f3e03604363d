"""Text that may stand in an XML 1.0 document. Escaping is the writer's; what cannot even be escaped goes."""

from __future__ import annotations

import re

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2 Char


def xml_text(text: str, most: int = 200) -> str:
    """`text` without what XML has no way to hold (control characters, lone surrogates), `most` characters."""
    return _ILLEGAL.sub("", text)[:most]
