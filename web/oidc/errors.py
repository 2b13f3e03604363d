"""What goes wrong on the way through a provider."""

from __future__ import annotations

from flow.errors import RemoteError


class OidcError(RemoteError):
    """No login by the provider. The page /login shows `code`, the log the message.

    "oidc_unavailable": the provider does not answer, or not as it must; "oidc_state": the login was not begun
    in this browser, or took too long; "oidc_denied": the person broke it off, or the provider lets him not
    in; "oidc_refused": the provider does not take us; "oidc_token": its ID token proves nothing;
    "oidc_no_role": none of the person's roles is one here; "oidc_disabled": his account is locked here;
    "oidc_busy": too many log in at once.
    """

    code = "oidc_unavailable"
