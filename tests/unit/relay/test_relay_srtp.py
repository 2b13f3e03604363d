"""SRTP in place, opened by pylibsrtp's own sessions; SRTCP both ways; what is refused."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate

import pylibsrtp
import pytest
from pylibsrtp import Policy, Session

from flow.codec.rtp import SenderReport, parse_rtp
from flow.errors import LagebildError
from relay import srtp
from relay.srtp import (
    KEY_BYTES,
    MAX_REMOTE_SSRCS,
    TAG_BYTES,
    WINDOW_PACKETS,
    Profile,
    SrtpIn,
    SrtpOut,
    ffi,
)

PROFILES: list[Profile] = ["gcm", "cm80"]
LIBSRTP = {"gcm": Policy.SRTP_PROFILE_AEAD_AES_128_GCM, "cm80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80}
SSRC = 0xCAFE
REPORT = SenderReport(SSRC, 1_800_000_000_000_000_000, 90_000, 10, 12_000).serialize()


def key_of(profile: Profile, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(KEY_BYTES[profile])


def session(profile: Profile, key: bytes, ssrc_type: int = Policy.SSRC_ANY_INBOUND) -> Session:
    """The other side, by pylibsrtp's public interface alone."""
    return Session(Policy(key=key, ssrc_type=ssrc_type, srtp_profile=LIBSRTP[profile]))


def rtp(sequence: int, size: int = 1000) -> bytes:
    payload = random.Random(sequence).randbytes(size)
    return struct.pack("!BBHII", 0x80, 96, sequence & 0xFFFF, 90_000, SSRC) + payload


def protected(out: SrtpOut, profile: Profile, packets: Sequence[bytes]) -> list[bytes] | None:
    """Lay packets out with room for their tags, protect them where they are, cut them out again."""
    tag = TAG_BYTES[profile]
    buffer = bytearray(bytes(tag).join(packets) + bytes(tag))
    starts = list(accumulate((len(p) + tag for p in packets[:-1]), initial=0))
    base, lengths = ffi.from_buffer(buffer), ffi.new("int[]", len(packets))
    ffi.buffer(lengths)[:] = array("i", map(len, packets)).tobytes()
    if not out.protect([base + at for at in starts], [lengths + i for i in range(len(packets))]):
        return None
    assert [n - len(p) for n, p in zip(lengths, packets, strict=True)] == [tag] * len(packets)
    return [bytes(buffer[at : at + n]) for at, n in zip(starts, lengths, strict=True)]


@pytest.mark.parametrize("profile", PROFILES)
def test_packets_protected_in_place_are_opened_by_another_session(profile: Profile) -> None:
    key = key_of(profile)
    receiver = session(profile, key)
    packets = [rtp(n, size) for n, size in enumerate((1200, 1200, 700, 1, 0), 100)]
    sent = protected(SrtpOut(profile, key), profile, packets)
    assert sent is not None
    assert [receiver.unprotect(p) for p in sent] == packets
    assert all(p[12:28] not in s for p, s in zip(packets[:3], sent[:3], strict=True))  # it is encrypted


@pytest.mark.parametrize("profile", PROFILES)
def test_a_packet_sent_again_is_the_very_same_and_fills_the_gap(profile: Profile) -> None:
    key = key_of(profile)
    out, receiver = SrtpOut(profile, key), session(profile, key)
    sent = protected(out, profile, [rtp(n) for n in range(10)])
    assert sent is not None
    for packet in (*sent[:4], *sent[5:]):
        receiver.unprotect(packet)
    again = protected(out, profile, [rtp(4)])
    assert again == [sent[4]]
    assert receiver.unprotect(again[0]) == rtp(4)
    with pytest.raises(pylibsrtp.Error, match="replay"):
        receiver.unprotect(again[0])


@pytest.mark.parametrize("profile", PROFILES)
def test_the_sequence_number_wraps_and_what_was_before_can_still_be_sent_again(profile: Profile) -> None:
    key = key_of(profile)
    out, receiver = SrtpOut(profile, key), session(profile, key)
    packets = [rtp(n, 50) for n in range(0x7FF0, 0x1_0010)]
    sent = protected(out, profile, packets)
    assert sent is not None
    lost = 0xFFFE - 0x7FF0
    got = [receiver.unprotect(p) for i, p in enumerate(sent) if i != lost]
    assert got == packets[:lost] + packets[lost + 1 :]
    again = protected(out, profile, [packets[lost]])
    assert again == [sent[lost]]
    assert receiver.unprotect(again[0]) == packets[lost]


def test_a_second_wrap_is_counted_too() -> None:
    key = key_of("gcm")
    out, receiver = SrtpOut("gcm", key), session("gcm", key)
    for start in range(0, 0x2_2000, 0x1000):
        sent = protected(out, "gcm", [rtp(start, 20)])
        assert sent is not None
        assert receiver.unprotect(sent[0]) == rtp(start, 20)


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_older_than_the_window_is_refused_and_said(profile: Profile) -> None:
    out = SrtpOut(profile, key_of(profile))
    assert protected(out, profile, [rtp(n, 20) for n in range(WINDOW_PACKETS + 1)]) is not None
    assert protected(out, profile, [rtp(1, 20)]) is not None
    assert protected(out, profile, [rtp(0, 20)]) is None
    assert protected(out, profile, [rtp(WINDOW_PACKETS + 1, 20), rtp(0, 20)]) is None
    assert protected(out, profile, [rtp(WINDOW_PACKETS + 2, 20)]) is not None  # and it goes on


def test_two_viewers_protect_the_same_packet_under_keys_of_their_own() -> None:
    one, other = (protected(SrtpOut("gcm", key_of("gcm", n)), "gcm", [rtp(1)]) for n in (1, 2))
    assert one is not None
    assert other is not None
    assert one[0][:12] == other[0][:12]
    assert one[0][12:] != other[0][12:]
    with pytest.raises(pylibsrtp.Error, match="authentication"):
        session("gcm", key_of("gcm", 2)).unprotect(one[0])


@pytest.mark.parametrize("profile", PROFILES)
def test_rtcp_both_ways(profile: Profile) -> None:
    ours, theirs = key_of(profile, 1), key_of(profile, 2)
    out, into = SrtpOut(profile, ours), SrtpIn(profile, theirs)
    sent = out.protect_rtcp(REPORT)
    assert REPORT[8:] not in sent
    assert session(profile, ours).unprotect_rtcp(sent) == REPORT
    viewer = session(profile, theirs, Policy.SSRC_ANY_OUTBOUND)
    assert [into.unprotect_rtcp(viewer.protect_rtcp(REPORT)) for _ in range(3)] == [REPORT] * 3
    assert into.refused == 0


@pytest.mark.parametrize("profile", PROFILES)
def test_a_replayed_report_is_refused(profile: Profile) -> None:
    viewer = session(profile, key_of(profile), Policy.SSRC_ANY_OUTBOUND)
    into = SrtpIn(profile, key_of(profile))
    packets = [viewer.protect_rtcp(REPORT) for _ in range(4)]
    assert [into.unprotect_rtcp(p) for p in packets] == [REPORT] * 4
    assert [into.unprotect_rtcp(p) for p in packets] == [None] * 4
    assert into.refused == 4


@pytest.mark.parametrize("profile", PROFILES)
def test_forged_and_truncated_reports_are_refused_and_spoil_nothing(profile: Profile) -> None:
    random_ = random.Random(3711)
    viewer = session(profile, key_of(profile), Policy.SSRC_ANY_OUTBOUND)
    into = SrtpIn(profile, key_of(profile))
    genuine = viewer.protect_rtcp(REPORT)
    wrong = [genuine[:n] for n in range(len(genuine))]
    wrong += [random_.randbytes(random_.randrange(0, 2000)) for _ in range(3000)]
    for at in range(len(genuine)):
        wrong.append(genuine[:at] + bytes((genuine[at] ^ 1 << random_.randrange(8),)) + genuine[at + 1 :])
    wrong += [genuine + bytes(n) for n in (1, 4, 1400, 65_000)]
    wrong.append(session(profile, key_of(profile, 9), Policy.SSRC_ANY_OUTBOUND).protect_rtcp(REPORT))
    assert {into.unprotect_rtcp(packet) for packet in wrong} == {None}
    assert into.refused == len(wrong)
    assert into.unprotect_rtcp(genuine) == REPORT


def test_a_viewer_that_invents_ssrcs_is_bounded() -> None:
    viewer = session("gcm", key_of("gcm"), Policy.SSRC_ANY_OUTBOUND)
    into = SrtpIn("gcm", key_of("gcm"))

    def report(ssrc: int) -> bytes:
        return bytes(viewer.protect_rtcp(SenderReport(ssrc, 0, 0, 0, 0).serialize()))

    opened = [into.unprotect_rtcp(report(ssrc)) is not None for ssrc in range(MAX_REMOTE_SSRCS + 50)]
    assert opened == [True] * MAX_REMOTE_SSRCS + [False] * 50
    assert into.unprotect_rtcp(report(0)) is not None  # the known ones are heard as before


def test_a_protected_packet_keeps_its_header_in_the_open() -> None:
    sent = protected(SrtpOut("gcm", key_of("gcm")), "gcm", [rtp(7)])
    assert sent is not None
    header = parse_rtp(sent[0])
    assert (header.sequence, header.ssrc, header.payload_type) == (7, SSRC, 96)


def test_the_private_names_are_there_and_a_missing_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    srtp.check_private_names()
    gone = (*srtp.PRIVATE_NAMES, ("pylibsrtp", pylibsrtp, "renamed_in_the_next_version"))
    monkeypatch.setattr(srtp, "PRIVATE_NAMES", gone)
    with pytest.raises(LagebildError, match=r"lacks pylibsrtp\.renamed_in_the_next_version; 1\.0\.0 has"):
        srtp.check_private_names()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("del pylibsrtp._binding", "pylibsrtp._binding, pylibsrtp._binding.ffi"),
        ("pylibsrtp._binding = type('', (), {'ffi': 1, 'lib': 1})", "pylibsrtp._binding.lib.srtp_protect"),
    ],
)
def test_another_pylibsrtp_ends_in_one_clear_error(change: str, named: str) -> None:
    program = f"import pylibsrtp; {change}; import relay.srtp"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stderr.splitlines()[-1].startswith(
        "flow.errors.LagebildError: this version of pylibsrtp lacks"
    )
    assert named in run.stderr.splitlines()[-1]
