"""relay/protocol/icelite.py: the checks of one viewer, path by path."""

from __future__ import annotations

import itertools
import weakref

import pytest

from relay.protocol import stun
from relay.protocol.icelite import (
    CONSENT_NS,
    HELD_NS,
    MAX_PATHS,
    REMEMBERED_CHECKS,
    SILENT_NS,
    Credentials,
    IceLite,
)

S = 1_000_000_000
OURS = Credentials("ours", "a password of ours")
THEIRS = Credentials("thrs", "a password of theirs")
SOURCE = ("192.0.2.7", 5000)
_numbers = itertools.count(1)


def check(
    *more: tuple[int, bytes],
    nominate: bool = False,
    username: str = "ours:thrs",
    password: str | None = OURS.password,
    kind: int = stun.BINDING_REQUEST,
    transaction: int | None = None,
) -> bytes:
    """A check as a controlling agent sends it."""
    attributes = [
        (stun.USERNAME, username.encode()),
        (stun.PRIORITY, bytes.fromhex("6e7f1eff")),
        *more,
    ]
    if nominate:
        attributes.append((stun.USE_CANDIDATE, b""))
    number = next(_numbers) if transaction is None else transaction
    key = None if password is None else password.encode()
    return stun.serialize(kind, number.to_bytes(12, "big"), attributes, key)


CONTROLLING = (stun.ICE_CONTROLLING, bytes(8))


@pytest.fixture
def ice() -> IceLite[str]:
    return IceLite(OURS, THEIRS, now_ns=0)


def test_a_check_is_answered_with_its_source_signed_by_our_password(ice: IceLite[str]) -> None:
    request = check(CONTROLLING)
    reply = ice.handle(request, "a", SOURCE, 1 * S)
    assert reply is not None
    answer = stun.parse(reply)
    assert answer.kind == stun.BINDING_SUCCESS
    assert answer.transaction_id == request[8:20]
    assert stun.mapped_address(answer) == SOURCE
    assert answer.is_signed_with(OURS.password.encode())
    assert stun.FINGERPRINT in answer.attributes
    assert not ice.refused


def test_before_nomination_the_first_checked_path_is_taken(ice: IceLite[str]) -> None:
    assert ice.path is None
    assert not ice.checked
    ice.handle(check(), "a", SOURCE, 1 * S)
    ice.handle(check(), "b", SOURCE, 2 * S)
    assert ice.path == "a"
    assert ice.checked
    assert dict(ice.paths) == {"a": 1 * S, "b": 2 * S}


def test_the_path_nominated_last_is_taken(ice: IceLite[str]) -> None:
    ice.handle(check(), "a", SOURCE, 1 * S)
    ice.handle(check(nominate=True), "b", SOURCE, 2 * S)
    assert ice.path == "b"
    ice.handle(check(), "a", SOURCE, 3 * S)
    assert ice.path == "b"
    ice.handle(check(nominate=True), "c", SOURCE, 4 * S)  # the viewer changed its address
    assert ice.path == "c"


def test_consent_lasts_30_s_from_the_last_check_of_the_path_in_use(ice: IceLite[str]) -> None:
    assert ice.consent_until_ns == CONSENT_NS
    ice.handle(check(nominate=True), "a", SOURCE, 1 * S)
    assert ice.consent_until_ns == 31 * S
    ice.handle(check(), "b", SOURCE, 5 * S)
    assert ice.consent_until_ns == 31 * S
    ice.handle(check(), "a", SOURCE, 6 * S)
    assert ice.consent_until_ns == 36 * S
    ice.handle(check(password="wrong"), "a", SOURCE, 9 * S)
    ice.handle(check(nominate=True, password="wrong"), "b", SOURCE, 9 * S)
    assert ice.consent_until_ns == 36 * S
    assert ice.path == "a"


def test_feedback_under_the_viewers_keys_is_consent_for_the_path_it_came_by(ice: IceLite[str]) -> None:
    ice.handle(check(), "udp", SOURCE, 1 * S)
    ice.heard("udp", 20 * S)
    assert ice.consent_until_ns == 50 * S
    ice.heard("elsewhere", 30 * S)
    assert ice.consent_until_ns == 50 * S
    assert list(ice.paths) == ["udp"]


def test_a_path_that_fell_silent_gives_way_to_one_that_is_checked(ice: IceLite[str]) -> None:
    ice.handle(check(nominate=True), "a", SOURCE, 0)
    ice.handle(check(), "b", SOURCE, SILENT_NS)
    assert ice.path == "a"
    ice.handle(check(), "b", SOURCE, SILENT_NS + 1)
    assert ice.path == "b"
    assert ice.consent_until_ns == SILENT_NS + 1 + CONSENT_NS


REFUSED = {
    "integrity": [
        check(password="another password"),
        check(password=None),
        check(password=THEIRS.password),
        check(password=""),
    ],
    "username": [check(username="ours:else"), check(username="else:thrs"), check(username="thrs:ours")],
    "no request": [
        check(kind=stun.BINDING_INDICATION),
        check(kind=stun.BINDING_SUCCESS),
        check(kind=0x0003),  # TURN allocate
    ],
    "malformed": [b"", check()[:-1], check()[:-4] + bytes(4), b"\x00\x01\x00\x00"],
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_not_the_viewers_check_is_ignored_and_counted(ice: IceLite[str], reason: str) -> None:
    for datagram in REFUSED[reason]:
        assert ice.handle(datagram, "a", SOURCE, 1 * S) is None
    assert ice.refused == {reason: len(REFUSED[reason])}
    assert ice.path is None
    assert not ice.checked
    assert not ice.paths
    assert ice.consent_until_ns == CONSENT_NS


def test_a_check_repeated_from_elsewhere_moves_nothing(ice: IceLite[str]) -> None:
    nominating = check(nominate=True)
    ice.handle(nominating, "a", SOURCE, 1 * S)
    assert ice.handle(nominating, "thief", ("198.51.100.1", 1), 2 * S) is None
    assert ice.path == "a"
    assert "thief" not in ice.paths
    assert ice.refused == {"replayed": 1}


def test_a_check_repeated_on_its_own_path_is_answered_but_is_no_new_consent(ice: IceLite[str]) -> None:
    request = check(nominate=True)
    first = ice.handle(request, "a", SOURCE, 1 * S)
    assert ice.handle(request, "a", SOURCE, 20 * S) == first
    assert ice.consent_until_ns == 31 * S
    assert not ice.refused


def test_a_repeated_check_does_not_nominate_again(ice: IceLite[str]) -> None:
    request = check(nominate=True)
    ice.handle(request, "a", SOURCE, 1 * S)
    ice.handle(check(nominate=True), "b", SOURCE, 2 * S)
    ice.handle(request, "a", SOURCE, 3 * S)
    assert ice.path == "b"


def test_checks_of_a_closed_path_cannot_be_replayed(ice: IceLite[str]) -> None:
    request = check(nominate=True)
    ice.handle(request, "a", SOURCE, 1 * S)
    ice.forget("a")
    assert ice.handle(request, "thief", SOURCE, 2 * S) is None
    assert ice.refused == {"replayed": 1}


def test_a_closed_path_gives_way_to_the_one_checked_last(ice: IceLite[str]) -> None:
    ice.handle(check(), "a", SOURCE, 1 * S)
    ice.handle(check(), "b", SOURCE, 2 * S)
    ice.handle(check(nominate=True), "tcp", SOURCE, 3 * S)
    ice.forget("tcp")
    assert ice.path == "b"
    assert ice.consent_until_ns == 32 * S
    ice.forget("a")
    assert ice.path == "b"
    ice.forget("b")
    ice.forget("never heard of")
    assert ice.path is None
    assert ice.checked  # it may come back while its consent lasts
    assert ice.consent_until_ns == 32 * S
    ice.handle(check(), "tcp again", SOURCE, 10 * S)
    assert ice.path == "tcp again"


def test_a_closed_path_is_not_kept_alive() -> None:
    class Connection:
        pass

    ice: IceLite[Connection] = IceLite(OURS, THEIRS, now_ns=0)
    path = Connection()
    alive = weakref.ref(path)
    ice.handle(check(), path, SOURCE, 1 * S)
    ice.forget(path)
    del path
    assert alive() is None


@pytest.mark.parametrize("tie_breaker", [bytes(8), b"\xff" * 8])
def test_a_viewer_that_believes_to_be_controlled_is_told_to_control(
    ice: IceLite[str], tie_breaker: bytes
) -> None:
    reply = ice.handle(check((stun.ICE_CONTROLLED, tie_breaker)), "a", SOURCE, 1 * S)
    assert reply is not None
    answer = stun.parse(reply)
    assert answer.kind == stun.BINDING_ERROR
    assert answer.attributes[stun.ERROR_CODE][:4] == bytes((0, 0, 4, 87))
    assert answer.is_signed_with(OURS.password.encode())
    assert ice.path is None
    assert ice.refused == {"role conflict": 1}


def test_an_attribute_that_must_be_understood_and_is_not_is_named(ice: IceLite[str]) -> None:
    reply = ice.handle(check((0x7001, b"?"), (0xC057, bytes(4))), "a", SOURCE, 1 * S)
    assert reply is not None
    answer = stun.parse(reply)
    assert answer.attributes[stun.ERROR_CODE][:4] == bytes((0, 0, 4, 20))
    assert answer.attributes[stun.UNKNOWN_ATTRIBUTES] == bytes.fromhex("7001")
    assert ice.path is None


def test_many_paths_are_bounded_and_those_in_use_are_kept(ice: IceLite[str]) -> None:
    ice.handle(check(nominate=True), "in use", SOURCE, 0)
    for second in range(1, 100):
        ice.handle(check(), f"path {second}", SOURCE, second)
        assert len(ice.paths) <= MAX_PATHS
        assert f"path {second}" in ice.paths
    assert ice.path == "in use"
    dropped = ice.dropped()
    assert dropped == [f"path {second}" for second in range(1, 101 - MAX_PATHS)]
    assert ice.dropped() == []


def test_the_memory_of_checks_is_bounded_and_a_forgotten_one_takes_no_path_that_is_in_use(
    ice: IceLite[str],
) -> None:
    ice.handle(check(), "second", SOURCE, 0)
    requests = [check(nominate=True) for _ in range(REMEMBERED_CHECKS)]
    for request in requests:
        ice.handle(request, "a", SOURCE, 1 * S)
    assert len(ice._transactions) == REMEMBERED_CHECKS
    ice.handle(check(), "a", SOURCE, 2 * S)  # and the first is forgotten
    ice.heard("a", 60 * S)
    assert ice.handle(requests[1], "thief", SOURCE, 61 * S) is None
    assert ice.refused == {"replayed": 1}
    assert ice.handle(requests[0], "thief", SOURCE, 61 * S) is None
    assert ice.refused == {"replayed": 1, "late path": 1}
    assert (ice.path, "thief" in ice.paths) == ("a", False)
    ice.handle(check(nominate=True), "second", SOURCE, 61 * S)  # known of old: it is the viewer itself
    assert ice.path == "second"


def test_after_any_time_a_viewer_that_moved_is_followed_once_its_old_path_is_silent(
    ice: IceLite[str],
) -> None:
    for number in range(REMEMBERED_CHECKS + 1):
        ice.handle(check(nominate=True), "wlan", SOURCE, number * S)
    last_ns = REMEMBERED_CHECKS * S
    assert ice.handle(check(nominate=True), "lte", SOURCE, last_ns + HELD_NS - 1) is None
    assert ice.handle(check(nominate=True), "lte", SOURCE, last_ns + HELD_NS) is not None
    assert ice.path == "lte"


def test_after_any_time_a_viewer_whose_connection_closed_may_come_anew(ice: IceLite[str]) -> None:
    for _ in range(REMEMBERED_CHECKS + 1):
        ice.handle(check(nominate=True), "tcp", SOURCE, 1 * S)
    ice.forget("tcp")
    ice.handle(check(nominate=True), "tcp again", SOURCE, 2 * S)
    assert ice.path == "tcp again"


def test_credentials_are_long_random_and_of_ice_characters() -> None:
    # RFC 8839 5.4: at least 4 and 22 characters; RFC 8445 5.3: 24 and 128 bits of randomness.
    one, other = Credentials.fresh(), Credentials.fresh()
    assert one != other
    for text in (one.ufrag, one.password):
        assert text.isascii()
        assert text.isalnum()
    assert (len(one.ufrag), len(one.password)) == (8, 24)
    assert one.password not in repr(one)
