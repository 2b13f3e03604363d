"""What of a source's address may be shown."""

from __future__ import annotations

import re

HIDDEN = "…"


def shown(url: str) -> str:
    """`url` without what may be secret; paths of files, and words that are no URL, as they are.

    User, password, query and fragment are left out, and those parts of the path that set something: some
    cameras are called by rtsp://192.0.2.7/user=admin&password=12345. Where a password is not written as it
    must be ("/" as %2F) and so could be anywhere, nothing but the scheme is shown.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() == "file":
        return url
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in rest[len(authority) :]:
        return f"{scheme}://{HIDDEN}"
    path = re.split("[?#]", rest[len(authority) :], maxsplit=1)[0]
    parts = (HIDDEN if "=" in part else part for part in path.split("/"))
    return f"{scheme}://{authority.rpartition('@')[2]}{'/'.join(parts)}"
