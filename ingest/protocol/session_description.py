"""The session description of a camera (RFC 4566, RFC 2326 appendix C): which video to ask for, and how."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from flow.codec.annexb import join_nal_units
from flow.errors import SourceError
from flow.units import CLOCK_RATE_HZ, Codec

from .rtp_stream import VideoFormat
from .rtsp_url import safe

_CODECS = {"H264": Codec.H264, "H265": Codec.H265, "HEVC": Codec.H265}
_SPROP = {
    Codec.H264: ("sprop-parameter-sets",),  # RFC 6184 8.1
    Codec.H265: ("sprop-vps", "sprop-sps", "sprop-pps"),  # RFC 7798 7.1
}
_TYPES_MOST, _ATTRIBUTES_MOST = 32, 256  # of a medium: each type is looked for among all attributes
_USERINFO = re.compile(r"(?<=://)[^/?#]*@")


@dataclass(frozen=True, slots=True)
class Description:
    """What of a session is asked for: the URL of all of it, and of its one video medium.

    `parameter_sets` is Annex B, b"" where the description has none.
    """

    control: str
    video_control: str
    video: VideoFormat
    parameter_sets: bytes


@dataclass(slots=True)
class _Section:
    """A medium with its attributes, or what comes before the first one."""

    media: str = ""
    profile: str = ""
    payload_types: tuple[str, ...] = ()
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def first(self, name: str) -> str:
        return next((value for each, value in self.attributes if each == name), "")

    def of_type(self, name: str, payload_type: str) -> str:
        """The attribute of that name for one payload type: "96 H264/90000" is "H264/90000" for 96."""
        for each, value in self.attributes:
            number, _, rest = value.partition(" ")
            if each == name and number == payload_type:
                return rest.strip()
        return ""


def describe(sdp: str, base: str, where: str) -> Description:
    """Read a description; `base` is the URL that its own ones are relative to, `where` the shown address.

    Takes the first medium that is H.264 or H.265. Raises SourceError: "no_video", "unsupported_codec".
    """
    session, *media = _sections(sdp)
    videos = [medium for medium in media if medium.media == "video"]
    if not videos:
        raise SourceError(f"{where} has no video, only {_listed(media)}", code="no_video")
    refused: list[str] = []
    for medium in videos:
        for payload_type in medium.payload_types:
            problem = _problem(medium, payload_type)
            if not problem:
                return _description(session, medium, payload_type, base)
            refused.append(problem)
    offered = ", ".join(refused[:4]) or "nothing"
    detail = f"{where} offers video as {offered}: only H.264 and H.265 are read; set the camera to H.264"
    raise SourceError(detail, code="unsupported_codec")


def _sections(sdp: str) -> list[_Section]:
    sections = [_Section()]
    for line in sdp.splitlines():
        kind, _, value = line.strip().partition("=")
        if kind == "m":
            media, _, profile, *types = (*value.split(), "", "", "")
            sections.append(
                _Section(media.lower(), profile.upper(), tuple(filter(None, types))[:_TYPES_MOST])
            )
        elif kind == "a" and len(sections[-1].attributes) < _ATTRIBUTES_MOST:
            name, _, value = value.partition(":")
            sections[-1].attributes.append((name.strip().lower(), value.strip()))
    return sections


def _listed(media: list[_Section]) -> str:
    return ", ".join(sorted({_word(medium.media) for medium in media})[:4]) or "nothing"


def _word(text: str) -> str:
    """Of a server's word what can stand in a line of ours."""
    return re.sub(r"[^\w./+-]", "?", text)[:24] or "?"


def _problem(medium: _Section, payload_type: str) -> str:
    """Why this payload type of a video is none for us, "" if it is one."""
    name, _, rate = medium.of_type("rtpmap", payload_type).partition("/")
    codec = _CODECS.get(name.strip().upper())
    if codec is None or not payload_type.isdecimal() or int(payload_type) > 127:
        return _word(name or f"payload type {payload_type}")
    if "SAVP" in medium.profile:
        return f"encrypted {name}"
    if rate.split("/")[0].strip() != str(CLOCK_RATE_HZ):
        return f"{name} with a clock of {_word(rate)} Hz"
    parameters = dict(_parameters(medium, payload_type))
    if parameters.get("packetization-mode") == "2" or parameters.get("sprop-max-don-diff", "0") != "0":
        return f"interleaved {name}"  # RFC 6184 6.4, RFC 7798 6: no camera, and no latency
    return ""


def _parameters(medium: _Section, payload_type: str) -> Iterator[tuple[str, str]]:
    for pair in medium.of_type("fmtp", payload_type).split(";"):
        name, _, value = pair.partition("=")
        yield name.strip().lower(), value.strip()


def _description(session: _Section, medium: _Section, payload_type: str, base: str) -> Description:
    codec = _CODECS[medium.of_type("rtpmap", payload_type).partition("/")[0].strip().upper()]
    parameters = dict(_parameters(medium, payload_type))
    sets = [nal for name in _SPROP[codec] for nal in _decoded(parameters.get(name, ""))]
    return Description(
        resolved(session.first("control"), base),
        resolved(medium.first("control"), base),
        VideoFormat(codec, int(payload_type)),
        join_nal_units(sets),
    )


def _decoded(sprop: str) -> Iterator[bytes]:
    """Base64 parameter sets, at commas; what is none is left out: they come in the stream, too."""
    for part in sprop.split(","):
        try:
            nal = base64.b64decode(part.strip() + "=" * (-len(part.strip()) % 4), validate=True)
        except ValueError:
            continue
        if nal := nal.removeprefix(b"\x00\x00\x00\x01").rstrip(b"\x00"):  # as some cameras write them
            yield nal


def resolved(control: str, base: str) -> str:
    """The URL of a `control` attribute (RFC 2326 C.1.1).

    A relative one is appended to the base, behind its last part and even its query: RFC 1808 would have it
    replace the last part, but cameras whose Content-Base lacks the "/" at its end mean this.
    """
    if control in ("", "*"):
        return safe(base)
    if "://" in control:
        return safe(_USERINFO.sub("", control))
    if control[0] == "?" or (control[0] != "/" and base.endswith("/")):
        return safe(base + control)
    return safe(base.removesuffix("/") + "/" + control.removeprefix("/"))


def base_url(request: str, content_base: str, content_location: str) -> str:
    """The URL that a description's own ones are relative to (RFC 2326 C.1.1)."""
    for value in (content_base, content_location):
        if not value:
            continue
        try:
            joined = urljoin(request, value)
        except ValueError:
            continue
        return _USERINFO.sub("", joined)
    return request
