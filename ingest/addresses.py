"""What of a source's address may be shown."""

from __future__ import annotations

import re

HIDDEN = "…"


_ZONE = re.compile(r"(\[[^\]%]*)%[^\]]*\]")


def zoned(host: str) -> str:
    """A host out of a URL as sockets want it: the interface of fe80::1%eth0 stands behind %25 there (RFC
    6874 2), or behind a bare % as everybody writes it."""
    return re.sub("%25(?=.)", "%", host, count=1) if ":" in host else host


def unzoned(authority: str) -> str:
    """`authority` of a URL without the interface, which is ours and means nothing to others (RFC 6874 1)."""
    return _ZONE.sub(r"\1]", authority)


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
