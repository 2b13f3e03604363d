"""The error tree. An error says whose fault it is, carries the facts, and says what to do."""

from __future__ import annotations


class LagebildError(Exception):
    """Root of everything Lagebild raises on purpose. `code` is a code of the UI catalogue."""

    code = "internal"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class ConfigError(LagebildError):
    """The operator's configuration is wrong; the message names file, key and the right form."""

    code = "config"


class PortInUseError(ConfigError):
    """An address of the configuration is taken by another program."""

    code = "port_in_use"


class RemoteError(LagebildError):
    """The other side broke its protocol: a source, an aircraft, a browser."""

    code = "remote"


class SourceError(RemoteError):
    """A video source failed; the supervisor retries. `code` says how, the message says what and where."""

    code = "source_failed"


class MalformedError(RemoteError):
    """Bytes that do not follow their format; the clause is in the message."""

    code = "malformed"


class OfferError(RemoteError):
    """An SDP offer that cannot be answered."""

    code = "bad_offer"


class UnacceptableError(OfferError):
    """An SDP offer in good order, of which nothing can be used (RFC 9725 4.4.3)."""

    code = "not_acceptable"


class RefusedError(RemoteError):
    """A publisher that may not send; `code` says why: its key, its feed, or somebody else who sends."""

    code = "refused"


class NotFoundError(LagebildError):
    """No such feed, aircraft, session or flight."""

    code = "not_found"


class BusyError(LagebildError):
    """A limit of the service is reached; trying again later may work."""

    code = "busy"


class TooManyError(LagebildError):
    """One caller has all it may have at once; it must let go of something first."""

    code = "too_many"


class UnavailableError(LagebildError):
    """What was asked for is not there just now; `code` says why, and asking again may help."""

    code = "unavailable"


class OverflowedError(LagebildError):
    """A LOSSLESS reader was too slow: its bound was reached and something is missing from here on."""

    code = "overflow"


class UnlocatableError(LagebildError):
    """Where a camera looks, or where a pixel is on the ground, cannot be told; `code` says why:

    "no_position", "no_attitude", "no_gimbal", "no_height", "no_lens", "pose_stale", "above_horizon",
    "too_far", "no_terrain".
    """

    code = "no_position"
