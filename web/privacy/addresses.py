"""Where something comes from or goes to, without what is secret in it."""

from __future__ import annotations

from urllib.parse import urlsplit

_FILES = frozenset({"file", "tlog", "serial", "srt-file"})


def shown(address: str) -> str:
    """An address without user, password and query; of a file only its name."""
    scheme, colon, rest = address.partition(":")
    if not colon:
        return scheme
    if scheme in _FILES:
        return f"{scheme}:{rest.rpartition('/')[2]}"
    try:
        parts = urlsplit(f"//{rest.removeprefix('//')}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return f"{scheme}:…"
    host = f"[{host}]" if ":" in host else host
    slashes = "//" if rest.startswith("//") else ""
    return f"{scheme}:{slashes}{host}" + (f":{port}" if port else "") + parts.path


def plain(text: str) -> str:
    """In one line."""
    return " ".join(text.split())


def cell(text: str) -> str:
    """As it may stand in a table, or anywhere else in Markdown: one line, nothing of it taken for a mark."""
    line = plain(text)
    for mark in "\\`*_[]<>|#":
        line = line.replace(mark, f"\\{mark}")
    return line
