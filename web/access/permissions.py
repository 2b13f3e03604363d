"""What there is to allow, who is allowed it by his role, and what a route is about."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """What a caller must be allowed to do. The policy table says who is."""

    PUBLIC = "public"  # everybody, also strangers: what one needs to log in, and the notice on privacy
    PAGE = "page"  # the pages' documents; they hold no data of an incident, but a stranger is shown the login
    SELF = "self"  # one's own account or stay: who am I, leave, change my password
    WATCH = "watch"  # pictures, telemetry, states of the feeds
    MARK = "mark"  # set, change and remove markers, and notes on flights
    REWIND = "rewind"  # what was recorded of a flight that still goes on
    REVIEW = "review"  # what was recorded; who watched, in figures
    EXPORT = "export"  # take recordings out of the house: order and download exports
    KEEP = "keep"  # hold flights, switch recording, open and change incidents
    DELETE = "delete"  # delete recordings
    SHARE = "share"  # make incident links and take them back; see who watches by them, and let go of them
    CONNECT = "connect"  # how pictures are brought in: addresses, and keys made and withdrawn
    OPERATE = "operate"  # health and metrics
    TRAIN = "train"  # play recordings for an exercise
    PUBLISH = "publish"  # bring pictures to a feed; who may is known by the feed's key
    ADMINISTER = "administer"  # accounts and tokens, the notice on privacy
    AUDIT = "audit"  # read, search and export the audit log


class Role(StrEnum):
    """What people are in a fire brigade. An account has one or more."""

    VIEWER = "viewer"  # Einsatzleiter
    PILOT = "pilot"  # Drohnensteuerer
    DISPATCHER = "dispatcher"  # Leitstelle
    ADMINISTRATOR = "administrator"


class Scope(StrEnum):
    """What a route is about: which of its callers who are bound to an incident it lets in."""

    NOTHING = "nothing"  # tells and changes nothing of any incident
    FEED = "feed"  # the path's {feed}
    AIRCRAFT = "aircraft"  # the path's {aircraft}
    FLIGHT = "flight"  # the path's {flight}
    INCIDENT = "incident"  # the path's {incident}
    FILTERED = "filtered"  # of several: the handler tells its caller only of what that caller reaches
    HOUSE = "house"  # the whole installation: nobody who is bound to an incident


def scope_of(path: str) -> Scope:
    """What a path is about, by its parameters; HOUSE where it names nothing, so that forgetting is safe."""
    for scope in (Scope.FLIGHT, Scope.FEED, Scope.AIRCRAFT, Scope.INCIDENT):
        if f"{{{scope}}}" in path:
            return scope
    return Scope.HOUSE
