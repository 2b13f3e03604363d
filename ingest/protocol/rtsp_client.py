"""The client's side of one RTSP connection (RFC 2326): asks for a camera's video and keeps it coming.

Bytes and time in, events and bytes out. What the camera's fault is raises SourceError, what the operator's
is ConfigError; afterwards the client is of no more use.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from flow.clock import NS_PER_S
from flow.errors import ConfigError, MalformedError, SourceError

from .rtsp_auth import Authenticator
from .rtsp_messages import (
    Interleaved,
    MessageParser,
    Request,
    Response,
    serialize_request,
    serialize_response,
)
from .rtsp_transport import SessionId, Tcp, Udp, granted, session_id, wanted
from .rtsp_url import RtspUrl
from .session_description import Description, base_url, describe

STEP_MOST_NS = 10 * NS_PER_S
"""The longest a request of the opening may wait for its whole answer, and packets may stay away."""

UDP_PATIENCE_NS = 2 * NS_PER_S
"""So long after PLAY, packets that could not come by UDP are taken to be kept back on the way."""

PROBE_NS = 2 * NS_PER_S
"""So long without packets by UDP, and the camera is asked something, again and again: one that has started
anew knows nothing of this connection, and says so at once. By TCP our reports ask that."""

_WAITING_MOST = 8  # requests whose answer is due: cameras that answer no keep-alive get no more than this
_ASKED_MOST = 64  # requests of the server between two of our own
_CSEQ_MOST = 32
_MOVED = frozenset({300, 301, 302, 303, 307, 308})
"""Not 305: to let a stranger stand between us and the camera is for nobody to ask (RFC 2326 11.3)."""


class Step(StrEnum):
    """What the client waits for the answer to; then the state it is in."""

    OPTIONS = "OPTIONS"
    DESCRIBE = "DESCRIBE"
    SETUP = "SETUP"
    PLAY = "PLAY"
    PLAYING = "PLAYING"
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class SetUp:
    """The server is about to send this, in this way."""

    description: Description
    transport: Udp | Tcp


@dataclass(frozen=True, slots=True)
class Redirected:
    """The video is elsewhere; this connection is over."""

    location: str


@dataclass(frozen=True, slots=True)
class NothingByUdp:
    """The server plays, but nothing comes to our ports: TCP is to be tried, on a new connection."""


RtspEvent: TypeAlias = Interleaved | SetUp | Redirected | NothingByUdp


@dataclass(slots=True)
class _Sent:
    method: str
    uri: str
    headers: dict[str, str]
    tries: int


@dataclass(slots=True)
class _Timers:
    asked_ns: int = 0
    heard_ns: int = 0
    played_ns: int = 0
    keep_alive_ns: int = 0
    heard_any: bool = False


@dataclass(slots=True)
class _Session:
    id: SessionId = field(default_factory=SessionId)
    description: Description | None = None
    transport: Udp | Tcp | None = None
    keep_alive: str = "OPTIONS"


class RtspClient:
    """Begins with `start()`; `data_to_send()` is to be written after every call of the others.

    With `may_change` TCP is taken where the server refuses UDP, and NothingByUdp is told where nothing comes.
    """

    def __init__(self, url: RtspUrl, cnonce: str, *, may_change: bool) -> None:
        self._url = url
        self._client_ports: tuple[int, int] | None = None
        self._may_change = may_change
        self._parser = MessageParser()
        self._authenticator = Authenticator(url.credentials, cnonce)
        self._step = Step.OPTIONS
        self._session = _Session()
        self._times = _Timers()
        self._cseq = 0
        self._waiting: dict[int, _Sent] = {}
        self._asked = 0
        self._spoke_rtsp = False
        self._out = bytearray()

    @property
    def step(self) -> Step:
        return self._step

    def data_to_send(self) -> bytes:
        data = bytes(self._out)
        self._out.clear()
        return data

    def start(self, client_ports: tuple[int, int] | None, now_ns: int) -> None:
        """The connection stands. `client_ports` are ours for RTP and RTCP by UDP; None: by TCP."""
        self._client_ports = client_ports
        self._ask("OPTIONS", self._url.request, {}, now_ns)

    def receive(self, data: bytes, now_ns: int) -> list[RtspEvent]:
        """Take what came on the connection."""
        try:
            messages = self._parser.push(data)
        except MalformedError as error:
            speaks = "does not go on in RTSP" if self._spoke_rtsp else "does not speak RTSP"
            raise SourceError(f"{self._url.shown} {speaks}: {error}", code="not_rtsp") from None
        events: list[RtspEvent] = []
        for message in messages:
            match message:
                case Interleaved():
                    events += self._frame(message, now_ns)
                case Response():
                    events += self._answered(message, now_ns)
                case Request():
                    events += self._requested(message)
        return events

    def heard(self, now_ns: int) -> None:
        """An RTP packet came by UDP."""
        self._times.heard_ns, self._times.heard_any = now_ns, True

    def tick(self, now_ns: int) -> list[RtspEvent]:
        """Time has passed; call this a few times a second."""
        times = self._times
        if self._step is Step.ENDED:
            return []
        if self._step is not Step.PLAYING:
            if now_ns - times.asked_ns >= STEP_MOST_NS:
                waited = f"to {self._step} for {STEP_MOST_NS // NS_PER_S} s"
                raise SourceError(f"{self._url.shown} did not answer {waited}", code="no_answer")
            return []
        by_udp = isinstance(self._session.transport, Udp)
        silent_ns = now_ns - times.heard_ns
        if by_udp and self._may_change and not times.heard_any and silent_ns >= UDP_PATIENCE_NS:
            return [NothingByUdp()]
        if silent_ns >= STEP_MOST_NS:
            silence = f"no packets for {STEP_MOST_NS // NS_PER_S} s by {'UDP' if by_udp else 'TCP'}"
            raise SourceError(f"{self._url.shown} plays, but {silence}", code="no_packets")
        is_doubted = by_udp and silent_ns >= PROBE_NS and now_ns - times.asked_ns >= PROBE_NS
        if is_doubted or now_ns >= times.keep_alive_ns:
            self._keep_alive(now_ns)
        return []

    def end(self) -> None:
        """Take leave of the server, if there is a session to end."""
        if self._session.transport is not None and self._step is not Step.ENDED:
            self._send("TEARDOWN", self._control, {}, 0)
        self._step = Step.ENDED

    # What is asked

    def _ask(self, method: str, uri: str, headers: dict[str, str], now_ns: int) -> None:
        """Take a step of the opening: its answer is due."""
        self._step = Step(method)
        self._times.asked_ns = now_ns
        self._waiting.clear()
        self._send(method, uri, headers, 0)

    def _send(self, method: str, uri: str, headers: dict[str, str], tries: int) -> None:
        self._cseq += 1
        self._asked = 0
        while len(self._waiting) >= _WAITING_MOST:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[self._cseq] = _Sent(method, uri, headers, tries + 1)
        fields = {"CSeq": str(self._cseq), "User-Agent": "Lagebild"}
        if authorization := self._authenticator.authorization(method, uri):
            fields["Authorization"] = authorization
        if self._session.id.name:
            fields["Session"] = self._session.id.name
        self._out += serialize_request(method, uri, fields | headers)

    @property
    def _control(self) -> str:
        description = self._session.description
        return self._url.request if description is None else description.control

    def _keep_alive(self, now_ns: int) -> None:
        self._times.asked_ns = now_ns
        self._times.keep_alive_ns = now_ns + self._session.id.timeout_s * NS_PER_S // 3
        self._send(self._session.keep_alive, self._control, {}, 0)

    def _set_up(self, now_ns: int) -> None:
        assert self._session.description is not None
        transport = {"Transport": wanted(self._client_ports)}
        self._ask("SETUP", self._session.description.video_control, transport, now_ns)

    # What is answered

    def _answered(self, response: Response, now_ns: int) -> list[RtspEvent]:
        self._spoke_rtsp = True
        sent = self._sent(response)
        if sent is None or response.status < 200:
            return []
        if response.status == 401:
            self._challenged(sent, response)
            return []
        if response.status != 403:
            self._authenticator.accepted()
        if self._step is Step.PLAYING:
            return self._kept_alive(sent, response.status, now_ns)
        if self._step is Step.ENDED:
            return []
        location = response.headers.first("Location")
        if response.status in _MOVED and location:
            return [Redirected(location)]
        match sent.method:
            case "OPTIONS":
                self._offered(response)
                self._ask("DESCRIBE", self._url.request, {"Accept": "application/sdp"}, now_ns)
            case "DESCRIBE":
                self._described(response, now_ns)
            case "SETUP":
                return self._is_set_up(response, now_ns)
            case "PLAY":
                self._plays(response, now_ns)
        return []

    def _sent(self, response: Response) -> _Sent | None:
        """The request of this answer; where only one waits, cameras that forget CSeq mean that."""
        cseq = response.headers.first("CSeq")
        if not cseq and len(self._waiting) == 1:
            return self._waiting.popitem()[1]
        known = cseq.isascii() and cseq.isdigit() and len(cseq) < 10 and int(cseq) in self._waiting
        if not known:
            return None
        number = int(cseq)
        return self._waiting[number] if response.status < 200 else self._waiting.pop(number)

    def _challenged(self, sent: _Sent, response: Response) -> None:
        problem = self._authenticator.challenged(response.headers.all("WWW-Authenticate"), sent.tries)
        if problem and self._authenticator.is_proven:  # the camera has changed its mind, and may do so again
            raise SourceError(f"{self._url.shown} {problem}, which were right before", code="auth_refused")
        if problem:
            raise ConfigError(f"{self._url.shown} {problem}", code="auth_refused")
        self._send(sent.method, sent.uri, sent.headers, sent.tries)

    def _offered(self, response: Response) -> None:
        """What the server can do; one that refuses to say so may yet do it."""
        methods = {name.strip().upper() for name in response.headers.first("Public").split(",")}
        if "GET_PARAMETER" in methods:
            self._session.keep_alive = "GET_PARAMETER"

    def _described(self, response: Response, now_ns: int) -> None:
        self._check(response)
        headers, request = response.headers, self._url.request
        base = base_url(request, headers.first("Content-Base"), headers.first("Content-Location"))
        text = response.body.decode("utf-8", "replace")
        self._session.description = describe(text, base, self._url.shown)
        self._set_up(now_ns)

    def _is_set_up(self, response: Response, now_ns: int) -> list[RtspEvent]:
        by_udp = self._client_ports is not None
        transport = None
        if response.status < 300:
            transport = granted(response.headers.first("Transport"), by_udp)
        elif not (by_udp and self._may_change):
            self._check(response)
        session = self._session
        if transport is None and by_udp and self._may_change:
            self._client_ports, session.id = None, SessionId()
            self._set_up(now_ns)
            return []
        if transport is None:
            detail = f"{self._url.shown} sends neither to our ports nor on the connection"
            raise SourceError(detail, code="transport_refused")
        session.id, session.transport = session_id(response.headers.first("Session")), transport
        assert session.description is not None
        if isinstance(transport, Tcp):
            self._parser.expect_frames(transport.channels)
        self._ask("PLAY", self._control, {"Range": "npt=0.000-"}, now_ns)
        return [SetUp(session.description, transport)]

    def _plays(self, response: Response, now_ns: int) -> None:
        self._check(response)
        self._step = Step.PLAYING
        self._times.heard_ns = self._times.played_ns = now_ns
        self._times.keep_alive_ns = now_ns + self._session.id.timeout_s * NS_PER_S // 3

    def _kept_alive(self, sent: _Sent, status: int, now_ns: int) -> list[RtspEvent]:
        # Some cameras know no session in GET_PARAMETER only; so young a one cannot be over.
        is_young = now_ns - self._times.played_ns < self._session.id.timeout_s * NS_PER_S
        if status == 454 and not (is_young and sent.method == "GET_PARAMETER"):
            raise SourceError(f"{self._url.shown} has ended the session", code="connection_lost")
        if status >= 400 and sent.method == "GET_PARAMETER":
            self._session.keep_alive = "OPTIONS"  # it said that it could, but it cannot
        return []

    def _check(self, response: Response) -> None:
        """Raise SourceError unless the answer to a step of the opening is a good one."""
        status, where = response.status, self._url.shown
        if status < 300:
            return
        if status == 403:
            raise SourceError(f"{where} forbids it to this user or address (403)", code="auth_refused")
        if status == 404:
            raise SourceError(f"{where} does not exist there (404)", code="not_found")
        if status == 461:
            raise SourceError(f"{where} does not send by {self._asked_for} (461)", code="transport_refused")
        raise SourceError(f"{where} refuses {self._step} with status {status}", code="server_refused")

    @property
    def _asked_for(self) -> str:
        return "TCP" if self._client_ports is None else "UDP"

    # What comes by itself

    def _frame(self, frame: Interleaved, now_ns: int) -> list[RtspEvent]:
        transport = self._session.transport
        if not isinstance(transport, Tcp) or frame.channel not in transport.channels:
            return []
        if frame.channel == transport.channels[0]:
            self._times.heard_ns, self._times.heard_any = now_ns, True
        return [frame]

    def _requested(self, request: Request) -> list[RtspEvent]:
        """The server asks us something. Raises SourceError where it hangs up, or does nothing else."""
        self._spoke_rtsp = True
        self._asked += 1
        if self._asked > _ASKED_MOST:
            raise SourceError(f"{self._url.shown} floods us with requests", code="not_rtsp")
        cseq = request.headers.first("CSeq")
        known = request.method in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "REDIRECT", "TEARDOWN")
        fields = {"CSeq": cseq} if cseq.isascii() and cseq.isdigit() and len(cseq) <= _CSEQ_MOST else {}
        if request.method == "OPTIONS":
            fields["Public"] = "OPTIONS, GET_PARAMETER, SET_PARAMETER, REDIRECT, TEARDOWN"
        self._out += serialize_response("200 OK" if known else "501 Not Implemented", fields)
        if request.method == "REDIRECT" and (location := request.headers.first("Location")):
            return [Redirected(location)]
        if request.method == "TEARDOWN":
            raise SourceError(f"{self._url.shown} has ended the session", code="connection_lost")
        return []
