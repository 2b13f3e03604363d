"""What [oidc] must keep to."""

from __future__ import annotations

import ssl
from urllib.parse import SplitResult, urlsplit

from flow.errors import ConfigError
from web.settings import OidcSettings
from web.unsecured import is_loopback


def check_oidc(oidc: OidcSettings, where: str) -> None:
    """Raise ConfigError naming the first value that cannot be right. Without an issuer nothing counts."""
    if not oidc.issuer:
        if oidc.client_id:
            raise ConfigError(f"{where}: oidc.client_id is set, and oidc.issuer is not")
        return
    parts = _checked(oidc.issuer, f"{where}: oidc.issuer")
    if parts.query or parts.fragment:  # OpenID Connect Discovery 1.0, 3
        raise ConfigError(f"{where}: oidc.issuer has no '?' and no '#', as the provider states it")
    if oidc.issuer.endswith("/.well-known/openid-configuration"):
        raise ConfigError(f"{where}: oidc.issuer is the address without /.well-known/openid-configuration")
    for each in oidc.origins:
        if _checked(each, f"{where}: oidc.origins").path not in ("", "/"):
            raise ConfigError(f"{where}: oidc.origins holds https://HOST without a path, not '{each}'")
    if not oidc.client_id:
        raise ConfigError(f"{where}: oidc.client_id is missing: the provider gives it with the registration")
    if not oidc.roles_claim:
        raise ConfigError(f"{where}: oidc.roles_claim is missing: the claim that says who is what")
    named = (*oidc.viewer, *oidc.pilot, *oidc.dispatcher, *oidc.administrator)
    if not named:
        todo = "set oidc.viewer, oidc.pilot, oidc.dispatcher or oidc.administrator"
        raise ConfigError(f"{where}: nobody could log in by oidc: {todo}")
    if not all(named):
        raise ConfigError(f"{where}: oidc: among what {oidc.roles_claim} says is an empty text")


def origin_of(url: str) -> str:
    """SCHEME://HOST:PORT, always with the port; "" where the address has none that we would ask.

    Only https; http on loopback addresses, where a test or a proxy of this machine answers.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").lower()
    if not host or parts.username is not None or parts.password is not None:
        return ""
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        return ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{port or (443 if parts.scheme == 'https' else 80)}"


def tls_of(oidc: OidcSettings) -> ssl.SSLContext:
    """Who is believed to be the provider. Raises ConfigError where `oidc.ca` cannot be used."""
    try:
        return ssl.create_default_context(cafile=oidc.ca or None)
    except (OSError, ssl.SSLError) as error:
        todo = "it must hold PEM certificates that this user may read"
        raise ConfigError(f"oidc.ca: {oidc.ca} cannot be used: {error}; {todo}") from None


def _checked(url: str, at: str) -> SplitResult:
    if not origin_of(url):
        raise ConfigError(f"{at} is https://HOST/…, or http:// on this machine, not '{_shown(url)}'")
    return urlsplit(url)


def _shown(url: str) -> str:
    """Without what might be a password in it."""
    return url.rpartition("@")[2]
