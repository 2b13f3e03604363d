"""What every answer carries, so that a browser helps to keep the page ours (docs/decisions/0039)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import hdrs, web

from .access import is_secure

HSTS_S = 365 * 86_400

Prepared: TypeAlias = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


def security_headers(tiles_origin: str = "") -> dict[str, str]:
    """Pages run our scripts and styles alone, in no frame, and may fetch from us, and map tiles from
    `tiles_origin`."""
    tiles = f" {tiles_origin}" if tiles_origin else ""
    policy = {
        "default-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"'self' data: blob:{tiles}",
        "media-src": "'self' blob:",  # a recording is played from the page's own memory
        "worker-src": "'self' blob:",  # the map's
        "connect-src": f"'self'{tiles}",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
        "Permissions-Policy": ", ".join(f"{name}={who}" for name, who in _FEATURES.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",  # for browsers that know no frame-ancestors
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",  # whoever may see this now may perhaps not tomorrow
    }


_FEATURES = {
    "camera": "(self)",  # of the page that films
    "fullscreen": "(self)",
    "screen-wake-lock": "(self)",
    "clipboard-write": "(self)",
    "autoplay": "(self)",
    "microphone": "()",  # sound is never taken (§ 201 StGB)
    "geolocation": "()",
    "display-capture": "()",
    "usb": "()",
    "serial": "()",
    "hid": "()",
    "midi": "()",
    "payment": "()",
}
"""What pages may ask a browser for (Permissions Policy); what is not listed has the browser's default."""


def adding_headers(tiles_origin: str, is_vouched_for: Callable[[], bool] = lambda: False) -> Prepared:
    """A signal that adds these to every answer that has them not.

    HSTS (RFC 6797) only where somebody vouches for our certificate: no browser lets its user pass a warning
    of a host that has sent it.
    """
    headers = security_headers(tiles_origin)

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if is_vouched_for() and is_secure(request):
            response.headers[hdrs.STRICT_TRANSPORT_SECURITY] = f"max-age={HSTS_S}"

    return add
