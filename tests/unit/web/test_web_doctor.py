"""`lagebild doctor`: real sockets, real folders, and a configuration with everything that can be wrong."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from web import doctor_machine
from web.cli import main
from web.doctor import check_configuration, check_key_files
from web.doctor_machine import (
    BURST_BYTES,
    buffer_bytes,
    check_buffers,
    check_clock,
    check_disk,
    judge_clock,
)
from web.doctor_ports import Port, check_port, check_ports, holder_of, ports_of
from web.doctor_report import Level, as_text, fail, is_well, ok, warn
from web.publish_keys import FILE, PublishKeys
from web.settings import (
    AircraftSettings,
    FeedSettings,
    PublishingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)

KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


@contextmanager
def taken(kind: str, host: str = "127.0.0.1") -> Iterator[int]:
    """A port that this process has open."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, KINDS[kind]) as sock:
        sock.bind((host, 0))
        if kind == "tcp":
            sock.listen()
        yield int(sock.getsockname()[1])


def free(kind: str) -> int:
    with taken(kind) as port:
        return port


@pytest.mark.parametrize("kind", KINDS)
def test_a_free_port_is_free_and_stays_so(kind: str) -> None:
    port = Port(kind, "127.0.0.1", free(kind), "the test")
    assert [check_port(port).level for _ in range(2)] == [Level.OK] * 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_in_use_names_its_holder(kind: str, host: str) -> None:
    with taken(kind, host) as number:
        port = Port(kind, host, number, "the test")
        found = check_port(port)
        assert found.level is Level.FAIL
        assert f"process {os.getpid()}" in found.what
        assert f"end process {os.getpid()}" in found.todo
        holder = holder_of(port)
        assert holder is not None
        assert holder[0] == os.getpid()


@contextmanager
def an_ordinary_user() -> Iterator[None]:
    """Whoever runs the tests, or nobody in root's place: root may everything."""
    user = os.geteuid()
    os.seteuid(user or 65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_keys_that_the_service_s_user_cannot_use_are_named() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        keys = PublishKeys(folder)
        with an_ordinary_user():
            assert check_key_files(keys).level is Level.OK  # nothing is there yet
        keys.make("tag")
        for path, mode in ((Path(name), 0o755), (folder, 0o777), (folder / FILE, 0o666)):
            path.chmod(mode)
        (folder / "publish-keys.lock").chmod(0o666)
        with an_ordinary_user():
            assert check_key_files(keys).level is Level.OK
        for path, mode in ((folder / FILE, 0o444), (folder / "publish-keys.lock", 0), (folder, 0o444)):
            before = path.stat().st_mode
            path.chmod(mode)
            with an_ordinary_user():
                found = check_key_files(keys)
            assert (found.level, str(path) in found.what) == (Level.FAIL, True)
            assert "chown" in found.todo
            path.chmod(before)


@pytest.mark.parametrize(
    ("where", "command"),
    [
        ("lagebild.toml", "`lagebild key tag`"),
        ("/etc/lagebild.toml", "`lagebild key tag --config /etc/lagebild.toml`"),
    ],
)
def test_what_is_to_be_done_can_be_typed_as_it_is_said(tmp_path: Path, where: str, command: str) -> None:
    feeds = (FeedSettings("tag", "rtmp"),)
    server = ServerSettings(data_dir=str(tmp_path))
    settings = Settings(server=server, aircraft=(AircraftSettings("otto", feed=feeds),))
    assert [f.todo.partition(", or")[0] for f in check_configuration(settings, where) if f.todo] == [command]


def test_a_port_of_another_address_is_not_ours() -> None:
    with taken("udp", "127.0.0.2") as number:
        assert check_port(Port("udp", "127.0.0.1", number, "the test")).level is Level.OK
        assert holder_of(Port("udp", "127.0.0.1", number, "the test")) is None
        assert check_port(Port("udp", "0.0.0.0", number, "the test")).level is Level.FAIL


def test_a_port_that_lagebild_itself_has_is_well(tmp_path: Path) -> None:
    program = tmp_path / "lagebild"
    program.write_text(
        "import socket, sys\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "print(s.getsockname()[1], flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        found = check_port(Port("tcp", "127.0.0.1", int(process.stdout.readline()), "the page"))
        process.communicate("")
    assert (found.level, f"Lagebild itself (process {process.pid})" in found.what) == (Level.OK, True)


@pytest.mark.parametrize(
    ("host", "todo"), [("192.0.2.1", "an address of this machine"), ("no.such.host.invalid", "0.0.0.0")]
)
def test_an_address_of_another_machine(host: str, todo: str) -> None:
    found = check_port(Port("udp", host, 5600, "feed 'tag'"))
    assert (found.level, todo in found.todo) == (Level.FAIL, True)


def aircraft(*feeds: FeedSettings, mavlink: str = "", allow_from: tuple[str, ...] = ()) -> AircraftSettings:
    return AircraftSettings("otto", mavlink=mavlink, allow_from=allow_from, feed=feeds)


def test_every_port_of_the_configuration_is_looked_at() -> None:
    feeds = (
        FeedSettings("a", "rtp://127.0.0.1:5600"),
        FeedSettings("b", "udp://[::1]:5004"),
        FeedSettings("c", "push"),
        FeedSettings("d", "rtsp://192.0.2.7:554/main"),
        FeedSettings("e", "file:x.h264"),
    )
    links = ("udpin:127.0.0.1:14550", "udpin:127.0.0.1:14550", "tcpin:127.0.0.1:5760", "tcp:192.0.2.7:5760")
    others = tuple(AircraftSettings(f"x{n}", mavlink=link) for n, link in enumerate(links))
    settings = Settings(aircraft=(aircraft(*feeds), *others))
    assert sorted(map(str, ports_of(settings))) == [
        "TCP 127.0.0.1:1935",
        "TCP 127.0.0.1:5760",
        "TCP 127.0.0.1:8080",
        "TCP 127.0.0.1:8189",
        "UDP 127.0.0.1:14550",
        "UDP 127.0.0.1:5600",
        "UDP 127.0.0.1:8189",
        "UDP 127.0.0.1:8890",
        "UDP [::1]:5004",
    ]
    quiet = Settings(webrtc=WebRtcSettings(tcp=False))
    assert [str(port) for port in ports_of(quiet)] == ["TCP 127.0.0.1:8080", "UDP 127.0.0.1:8189"]


def test_a_port_that_two_inputs_want_is_told() -> None:
    number = free("udp")
    feeds = (
        FeedSettings("a", f"rtp://127.0.0.1:{number}"),
        FeedSettings("b", f"udp://0.0.0.0:{number}", allow_from=("192.0.2.7",)),
    )
    settings = Settings(
        server=ServerSettings(port=0), webrtc=WebRtcSettings(port=0), aircraft=(aircraft(*feeds),)
    )
    (found,) = [f for f in check_ports(settings) if f.level is Level.FAIL]
    assert "feed 'b' and for feed 'a'" in found.what


def levels(settings: Settings) -> dict[str, Level]:
    return {f.what: f.level for f in check_configuration(settings, "lagebild.toml")}


def test_a_configuration_that_is_well_has_one_line(tmp_path: Path) -> None:
    PublishKeys(tmp_path).make("tag")
    server = ServerSettings(data_dir=str(tmp_path))
    feeds = (FeedSettings("tag", "rtmp"), FeedSettings("roh", "rtp://127.0.0.1:5600"))
    found = levels(Settings(server, aircraft=(aircraft(*feeds, mavlink="udpin:127.0.0.1:14550"),)))
    assert found == {"lagebild.toml: 1 aircraft, 2 feeds": Level.OK}


def test_what_is_wrong_in_a_configuration_is_told_without_its_secrets(tmp_path: Path) -> None:
    feeds = (
        FeedSettings("offen", "rtp://0.0.0.0:5600"),
        FeedSettings("alle", "udp://0.0.0.0:5601", allow_from=("0.0.0.0/0",)),
        FeedSettings("push", "push"),
        FeedSettings("fort", f"file:{tmp_path}/fort.h264"),
        FeedSettings("quer", "rtmps://u:geheim@192.0.2.7/x?key=geheim"),
        FeedSettings("kamera", "rtsp://u:geheim@/main"),
        FeedSettings("strich", "rtsp://u:ge/heim@192.0.2.7/main"),
        FeedSettings("sicher", "rtsps://u:geheim@192.0.2.7/main"),
    )
    settings = Settings(
        ServerSettings(host="0.0.0.0", data_dir=str(tmp_path)),
        publish=PublishingSettings(srt_passphrase="geheim geheim"),
        aircraft=(aircraft(*feeds, mavlink="udpin:0.0.0.0:14550"),),
    )
    found = list(check_configuration(settings, "x"))
    text = as_text(found)
    assert "geheim" not in text
    assert "ge/heim" not in text
    assert "heim@" not in text
    assert "feed 'strich': rtsp://… is no source that can be opened" in text
    assert "/ %2F" in text
    assert "through a VPN" in text
    assert "srt://192.0.2.7:9000" in text  # among what is possible
    assert [(f.level, f.what.partition(":")[0]) for f in found] == [
        (Level.OK, "x"),
        (Level.OK, "the page is open to the network on 0.0.0.0, to those who may"),
        (Level.FAIL, "telemetry of 'otto'"),
        (Level.FAIL, "feed 'offen'"),
        (Level.WARN, "feed 'alle'"),
        (Level.WARN, "feed 'push' has no key"),
        (Level.FAIL, "feed 'fort'"),
        (Level.FAIL, "feed 'quer'"),
        (Level.FAIL, "feed 'kamera'"),
        (Level.FAIL, "feed 'strich'"),
        (Level.FAIL, "feed 'sicher'"),
    ]
    assert all(f.todo for f in found if f.level is not Level.OK)


def test_senders_of_a_link_that_aircraft_share_are_those_of_all() -> None:
    link = "udpin:0.0.0.0:14550"
    two = (
        AircraftSettings("a", mavlink=link, allow_from=("192.0.2.7",)),
        AircraftSettings("b", mavlink=link),
    )
    assert Level.FAIL not in levels(Settings(aircraft=two)).values()


def test_a_key_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    settings = Settings(
        ServerSettings(data_dir=str(tmp_path)), aircraft=(aircraft(FeedSettings("t", "srt")),)
    )
    assert Level.FAIL in levels(settings).values()


@pytest.mark.parametrize(
    ("state", "status", "error_s", "level"),
    [
        (0, 0x2001, 0.02, Level.OK),  # STA_PLL | STA_NANO, as chrony leaves it
        (5, 0x0040, 16.0, Level.WARN),  # TIME_ERROR, as after the start
        (0, 0x0040, 0.02, Level.WARN),
        (0, 0x2001, 3.0, Level.WARN),
    ],
)
def test_the_clock_is_judged_by_what_the_kernel_says(
    state: int, status: int, error_s: float, level: Level
) -> None:
    assert judge_clock(state, status, error_s).level is level


def test_the_kernel_is_asked_for_its_clock() -> None:
    found = check_clock()
    assert found.check == "clock"
    assert found.level is not Level.FAIL


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    assert check_disk(tmp_path / "new" / "data").level in (Level.OK, Level.WARN)
    assert list(tmp_path.iterdir()) == []  # the doctor leaves nothing behind
    (tmp_path / "file").write_text("")
    found = check_disk(tmp_path / "file")
    assert (found.level, str(tmp_path / "file") in found.what) == (Level.FAIL, True)


def test_a_disk_that_is_nearly_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_machine, "DISK_FREE_BYTES", 1 << 62)
    assert check_disk(tmp_path).level is Level.WARN


def test_buffers_are_what_a_socket_really_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    cap = int(Path("/proc/sys/net/core/rmem_max").read_text())
    assert buffer_bytes(socket.SO_RCVBUF) == min(cap, BURST_BYTES)
    monkeypatch.setattr(doctor_machine, "BURST_BYTES", 1 << 30)
    assert [(f.level, "sysctl" in f.todo) for f in check_buffers()] == [(Level.WARN, True)] * 2


def test_the_report_says_what_to_do() -> None:
    found = [ok("clock", "right"), warn("disk", "little room", "make room"), fail("port", "taken", "end it")]
    assert as_text(found).splitlines() == [
        "ok    clock    right",
        "warn  disk     little room",
        "               -> make room",
        "fail  port     taken",
        "               -> end it",
    ]
    assert (is_well(found), is_well(found[:2])) == (False, True)


def configuration(folder: Path, source: str) -> str:
    path = folder / "lagebild.toml"
    path.write_text(
        f"[server]\nport = 0\ndata_dir = '{folder}/data'\n[webrtc]\nport = 0\n"
        f"[[aircraft]]\nid = 'otto'\n[[aircraft.feed]]\nid = 'tag'\nsource = '{source}'\n"
    )
    return str(path)


def test_the_command_ends_with_0_where_nothing_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configuration(tmp_path, "rtp://127.0.0.1:0")
    assert main(["doctor", "--config", config]) == 0
    assert "lagebild.toml: 1 aircraft, 1 feeds" in capsys.readouterr().out


def test_the_command_ends_with_1_where_something_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with taken("udp") as number:
        config = configuration(tmp_path, f"rtp://127.0.0.1:{number}")
        assert main(["doctor", "--json", "--config", config]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    (failed,) = [finding for finding in told["findings"] if finding["level"] == "fail"]
    assert failed["check"] == "port"
    assert f"UDP 127.0.0.1:{number} is in use by" in failed["what"]
    assert {"level", "check", "what", "todo"} == failed.keys()


def test_a_configuration_that_cannot_be_read_is_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--config", str(tmp_path / "nowhere.toml")]) == 1
    told = capsys.readouterr().out
    assert "fail  config" in told
    assert "nowhere.toml: no such file" in told
    assert "codec" in told
