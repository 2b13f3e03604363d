"""Haivision's libsrt (1.4.2 or newer), through ctypes: no wheel of it is to be had, and Debian ships it.

A thin skin: sockets never block, errors are SrtError. The names are those of srt.h.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import errno
import logging
import os
import socket
import struct
from collections.abc import Callable
from enum import IntEnum, IntFlag
from functools import cache
from typing import Any, NamedTuple, Self, TypeAlias

from flow.errors import ConfigError

log = logging.getLogger("lagebild.ingest")

SONAMES = ("libsrt-gnutls.so.1.5", "libsrt-openssl.so.1.5", "libsrt.so.1.5")
NAMES = ("srt-gnutls", "srt-openssl", "srt")

_MESSAGE_MOST_BYTES = 1456  # SRT_LIVE_MAX_PLSIZE
_STREAM_ID_MOST_BYTES = 512
_ADDRESS_BYTES = 28  # sizeof(struct sockaddr_in6)
_EVENTS_MOST = 128
_LOG_CRITICAL = 2
_ENABLE_EMPTY = 1


class Option(IntEnum):
    """SRT_SOCKOPT."""

    SNDSYN = 1
    RCVSYN = 2
    PASSPHRASE = 26
    CONNTIMEO = 36  # ms
    RCVLATENCY = 43  # ms
    MINVERSION = 45
    STREAMID = 46
    IPV6ONLY = 54


class Ready(IntFlag):
    """SRT_EPOLL_OPT."""

    IN = 0x1  # of a listener: somebody is to be accepted
    OUT = 0x4  # of a caller: connected
    ERR = 0x8


class Error(IntEnum):
    """SRT_ERRNO, as far as we tell them apart."""

    ECONNLOST = 2001
    EBINDCONFLICT = 5015
    EASYNCRCV = 6002


_STATE_CONNECTED = 5
"""SRT_SOCKSTATUS: what comes before it may become it, what comes after it is over."""


class Rejection(IntEnum):
    """SRT_REJECT_REASON (srt.h), and of 1000 and more what applications say (access_control.h)."""

    BADSECRET = 10
    UNSECURE = 11
    TIMEOUT = 16
    BAD_REQUEST = 1400
    UNAUTHORIZED = 1401
    NOTFOUND = 1404
    CONFLICT = 1409
    SERVER_ERROR = 1500


HSV5 = 0x010300
"""The version from which a handshake carries a stream id."""


class SrtError(OSError):
    """`code` is an SRT_ERRNO, `errno` the system's, 0 for none."""

    def __init__(self, code: int, system: int, text: str) -> None:
        super().__init__(system, text)
        self.code = code

    @property
    def is_port_in_use(self) -> bool:
        return self.errno == errno.EADDRINUSE or self.code == Error.EBINDCONFLICT


class Address(NamedTuple):
    """An IP address and a port."""

    host: str
    port: int

    @classmethod
    def of(cls, known: tuple[Any, ...]) -> Self:
        """From what getaddrinfo() tells: (host, port), and for IPv6 two numbers more."""
        host, port, *_, scope = (*known, 0) if len(known) == 2 else known
        return cls(f"{host}%{scope}" if scope else host, port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Ask: TypeAlias = Callable[[int, Address, str], int]
"""Whether to accept: (number of the socket to be, who calls, its stream id) -> 0, or a Rejection's code.

Called in a thread of libsrt, on which everything waits that comes to this port: it must be quick.
"""


class _Event(ctypes.Structure):
    """SRT_EPOLL_EVENT."""

    _fields_ = (("number", ctypes.c_int), ("events", ctypes.c_int))


_ListenCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p
)

_int, _void, _text = ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p
_PROTOTYPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "srt_startup": (_int, ()),
    "srt_cleanup": (_int, ()),
    "srt_setloglevel": (None, (_int,)),
    "srt_create_socket": (_int, ()),
    "srt_close": (_int, (_int,)),
    "srt_bind": (_int, (_int, _text, _int)),
    "srt_listen": (_int, (_int, _int)),
    "srt_listen_callback": (_int, (_int, _ListenCallback, _void)),
    "srt_accept": (_int, (_int, _void, _void)),
    "srt_connect": (_int, (_int, _text, _int)),
    "srt_getsockname": (_int, (_int, _void, _void)),
    "srt_getsockstate": (_int, (_int,)),
    "srt_setsockflag": (_int, (_int, _int, _void, _int)),
    "srt_getsockflag": (_int, (_int, _int, _void, _void)),
    "srt_recvmsg": (_int, (_int, _void, _int)),
    "srt_setrejectreason": (_int, (_int, _int)),
    "srt_getrejectreason": (_int, (_int,)),
    "srt_getlasterror": (_int, (_void,)),
    "srt_getlasterror_str": (_text, ()),
    "srt_epoll_create": (_int, ()),
    "srt_epoll_set": (ctypes.c_int32, (_int, ctypes.c_int32)),
    "srt_epoll_add_usock": (_int, (_int, _int, _void)),
    "srt_epoll_update_usock": (_int, (_int, _int, _void)),
    "srt_epoll_remove_usock": (_int, (_int, _int)),
    "srt_epoll_uwait": (_int, (_int, _void, _int, ctypes.c_int64)),
    "srt_epoll_release": (_int, (_int,)),
}


class Libsrt:
    """The library's functions, `lib.srt_socket` as `lib.call.srt_socket`, and what makes sockets of it."""

    def __init__(self, shared: ctypes.CDLL) -> None:
        """Raises AttributeError where a function is missing."""
        for name, (result, arguments) in _PROTOTYPES.items():
            function = getattr(shared, name)
            function.restype, function.argtypes = result, arguments
        self.call = shared
        self.name = shared._name
        shared.srt_setloglevel(_LOG_CRITICAL)  # else strangers write to our stderr as often as they like

    def startup(self) -> None:
        """Begin to use it: its collector's thread is started. To be ended by `cleanup()`, as often."""
        self.call.srt_startup()

    def cleanup(self) -> None:
        """The last one ends its threads, which takes some 20 ms."""
        self.call.srt_cleanup()

    def socket(self) -> SrtSocket:
        """A socket for live streams that never blocks. Raises SrtError."""
        made = SrtSocket(self, self.checked(self.call.srt_create_socket()))
        made.set(Option.RCVSYN, 0)
        made.set(Option.SNDSYN, 0)
        return made

    def is_over(self, number: int) -> bool:
        """Whether a socket's connection has ended, or was refused."""
        return int(self.call.srt_getsockstate(number)) > _STATE_CONNECTED

    def checked(self, result: int) -> int:
        """The result of a call; raises SrtError for -1."""
        if result == -1:
            raise self.last_error()
        return result

    def last_error(self) -> SrtError:
        """Of the last call of this thread."""
        system = ctypes.c_int()
        code = self.call.srt_getlasterror(ctypes.byref(system))
        text = (self.call.srt_getlasterror_str() or b"").decode(errors="replace")
        return SrtError(code, system.value, os.strerror(system.value) if system.value else text)


class SrtSocket:
    """One socket, known to libsrt by its `number`."""

    def __init__(self, library: Libsrt, number: int) -> None:
        self.number = number
        self._library = library
        self._call = library.call
        self._buffer = ctypes.create_string_buffer(_MESSAGE_MOST_BYTES)
        self._hook: Any = None  # libsrt keeps no reference to it

    def set(self, option: Option, value: int | str) -> None:
        """Raises SrtError."""
        data = struct.pack("=i", value) if isinstance(value, int) else value.encode()
        self._library.checked(self._call.srt_setsockflag(self.number, option, data, len(data)))

    def listen(self, address: Address, backlog: int, ask: Ask) -> None:
        """Raises SrtError. Once `close()` has returned, `ask` is not called any more."""
        packed = _packed(address)
        if ":" in address.host:
            self.set(Option.IPV6ONLY, int(address.host != "::"))  # :: is IPv4, too
        self._hook = _ListenCallback(_asking(self._call, ask))
        checked = self._library.checked
        checked(self._call.srt_listen_callback(self.number, self._hook, None))
        checked(self._call.srt_bind(self.number, packed, len(packed)))
        checked(self._call.srt_listen(self.number, backlog))

    def address(self) -> Address:
        """Its own. Raises SrtError."""
        buffer = ctypes.create_string_buffer(_ADDRESS_BYTES)
        size = ctypes.c_int(_ADDRESS_BYTES)
        self._library.checked(self._call.srt_getsockname(self.number, buffer, ctypes.byref(size)))
        return _unpacked(buffer.raw)

    def accept(self) -> tuple[SrtSocket, Address] | None:
        """Whoever has been let in, or None. Raises SrtError."""
        buffer = ctypes.create_string_buffer(_ADDRESS_BYTES)
        size = ctypes.c_int(_ADDRESS_BYTES)
        number = self._call.srt_accept(self.number, buffer, ctypes.byref(size))
        if number == -1:
            self._check_nothing()
            return None
        return SrtSocket(self._library, number), _unpacked(buffer.raw)

    def connect(self, address: Address) -> None:
        """Begin to call; `Ready.OUT` or `Ready.ERR` tells how it went. Raises SrtError."""
        packed = _packed(address)
        self._library.checked(self._call.srt_connect(self.number, packed, len(packed)))

    def receive(self) -> bytes | None:
        """The next message, as the peer sent it, or None. Raises SrtError at the end of the connection."""
        size = self._call.srt_recvmsg(self.number, self._buffer, _MESSAGE_MOST_BYTES)
        if size > 0:
            return ctypes.string_at(self._buffer, size)
        if size == 0:
            raise SrtError(Error.ECONNLOST, 0, "the connection was closed")
        self._check_nothing()
        return None

    def _check_nothing(self) -> None:
        error = self._library.last_error()
        if error.code != Error.EASYNCRCV:
            raise error

    def stream_id(self) -> str:
        """What the peer said who or what it is. Raises SrtError."""
        buffer = ctypes.create_string_buffer(_STREAM_ID_MOST_BYTES + 1)
        size = ctypes.c_int(_STREAM_ID_MOST_BYTES + 1)
        checked = self._library.checked
        checked(self._call.srt_getsockflag(self.number, Option.STREAMID, buffer, ctypes.byref(size)))
        return buffer.value.decode(errors="replace")

    def latency_ms(self) -> int:
        """Of what we receive, as both sides agreed on it. Raises SrtError."""
        value, size = ctypes.c_int(), ctypes.c_int(4)
        call, checked = self._call.srt_getsockflag, self._library.checked
        checked(call(self.number, Option.RCVLATENCY, ctypes.byref(value), ctypes.byref(size)))
        return value.value

    def rejection(self) -> int:
        """Why a connection was refused: a Rejection's code, or another one of srt.h."""
        return int(self._call.srt_getrejectreason(self.number))

    def close(self) -> None:
        """Take leave; a second time does nothing."""
        number, self.number = self.number, -1
        if number != -1:
            self._call.srt_close(number)


class SrtEpoll:
    """Which sockets are ready; level-triggered. Only `wait()` may be called in another thread."""

    def __init__(self, library: Libsrt) -> None:
        self._library, self._call = library, library.call
        self._number = library.checked(self._call.srt_epoll_create())
        self._call.srt_epoll_set(self._number, _ENABLE_EMPTY)  # to wait for no socket is no error
        self._events = (_Event * _EVENTS_MOST)()

    def add(self, number: int, events: Ready) -> None:
        """Raises SrtError."""
        flags = ctypes.byref(ctypes.c_int(events))
        self._library.checked(self._call.srt_epoll_add_usock(self._number, number, flags))

    def change(self, number: int, events: Ready) -> None:
        """Raises SrtError."""
        flags = ctypes.byref(ctypes.c_int(events))
        self._library.checked(self._call.srt_epoll_update_usock(self._number, number, flags))

    def remove(self, number: int) -> None:
        """Nothing of it will be told any more."""
        self._call.srt_epoll_remove_usock(self._number, number)

    def wait(self, most_ms: int) -> list[tuple[int, Ready]]:
        """Block until something is ready, or [] after `most_ms`."""
        count = self._call.srt_epoll_uwait(self._number, self._events, _EVENTS_MOST, most_ms)
        ready = self._events[: max(0, min(count, _EVENTS_MOST))]
        return [(event.number, Ready(event.events & 0xF)) for event in ready]

    def release(self) -> None:
        """It is needed no more."""
        self._call.srt_epoll_release(self._number)


@cache
def load() -> Libsrt:
    """The library of this machine; may take a second. Raises ConfigError with code "srt_missing"."""
    for name in (*SONAMES, *_found()):
        try:
            return Libsrt(ctypes.CDLL(name))
        except (OSError, AttributeError):
            continue  # not there, or older than 1.4.2
    raise ConfigError(
        "SRT is off: libsrt is not installed (Debian: apt-get install libsrt1.5-gnutls)", code="srt_missing"
    )


@cache
def _found() -> tuple[str, ...]:
    """Names of other versions; asked once, for it starts programs."""
    return tuple(filter(None, map(ctypes.util.find_library, NAMES)))


def _asking(call: ctypes.CDLL, ask: Ask) -> Callable[[Any, int, int, int, bytes | None], int]:
    """`ask` as libsrt calls it (srt_listen_callback_fn): 0 or -1, and never an exception."""

    def hook(_: Any, number: int, version: int, peer: int, stream_id: bytes | None) -> int:
        try:
            code = ask(number, _pointed(peer), (stream_id or b"").decode(errors="replace"))
        except Exception:
            log.exception("an SRT publisher could not be judged: a defect of Lagebild")
            code = Rejection.SERVER_ERROR
        if code:
            call.srt_setrejectreason(number, code)
        return -1 if code else 0

    return hook


def _packed(address: Address) -> bytes:
    """struct sockaddr_in or sockaddr_in6, as Linux has them. Raises SrtError for what is no IP address."""
    host, _, scope = address.host.partition("%")
    try:
        if ":" not in host:
            return struct.pack("=H", socket.AF_INET) + struct.pack(
                "!H4s8x", address.port, socket.inet_pton(socket.AF_INET, host)
            )
        number = int(scope) if scope.isdigit() else socket.if_nametoindex(scope) if scope else 0
        packed = struct.pack("!HI16s", address.port, 0, socket.inet_pton(socket.AF_INET6, host))
        return struct.pack("=H", socket.AF_INET6) + packed + struct.pack("=I", number)
    except OSError as error:
        raise SrtError(0, error.errno or errno.EINVAL, f"'{host}' is no address") from None


def _unpacked(packed: bytes) -> Address:
    """An IPv4 address that IPv6 has mapped (RFC 4291 2.5.5.2) is given as the former."""
    (family,), (port,) = struct.unpack("=H", packed[:2]), struct.unpack("!H", packed[2:4])
    if family == socket.AF_INET:
        return Address(socket.inet_ntop(socket.AF_INET, packed[4:8]), port)
    host = socket.inet_ntop(socket.AF_INET6, packed[8:24])
    return Address(host.removeprefix("::ffff:") if "." in host else host, port)


def _pointed(pointer: int) -> Address:
    (family,) = struct.unpack("=H", ctypes.string_at(pointer, 2))
    return _unpacked(ctypes.string_at(pointer, 16 if family == socket.AF_INET else _ADDRESS_BYTES))
