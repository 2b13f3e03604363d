"""`lagebild doctor` calls what Lagebild fetches pictures from: files, a camera by RTSP, an encoder by SRT."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ingest.libsrt import SrtError
from tests.fakes.srt_encoder import SrtEncoder
from tests.unit.ingest.material import coded, written
from web import doctor_cameras
from web.doctor_cameras import check_cameras
from web.doctor_report import Finding, Level, as_text
from web.settings import AircraftSettings, FeedSettings, Settings


def answers(*feeds: FeedSettings) -> list[Finding]:
    found = check_cameras(Settings(aircraft=(AircraftSettings("otto", feed=feeds),)))
    assert "geheim" not in as_text(found)
    assert {each.check for each in found} <= {"camera"}
    return found


@contextmanager
def camera(status: str, *headers: str) -> Iterator[int]:
    """One that gives this answer to whatever it is asked; on which port."""

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            while request := connection.recv(4096).decode():
                number = re.search(r"CSeq: (\d+)", request)
                assert number
                lines = (f"RTSP/1.0 {status}", f"CSeq: {number[1]}", *headers, "", "")
                connection.sendall("\r\n".join(lines).encode())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        answering = threading.Thread(target=answer)
        answering.start()
        yield listener.getsockname()[1]
        answering.join()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cameras")


def test_files_say_what_they_hold(folder: Path) -> None:
    clip = written(folder / "clip.ts", coded(10), format="mpegts")
    raw = written(folder / "clip.h264", coded(10), format="h264")
    found = answers(
        FeedSettings("ts", f"file:{clip}"),
        FeedSettings("raw", str(raw)),
        FeedSettings("rate", str(raw), fps=25.0),
        FeedSettings("text", f"file:{__file__}"),
        FeedSettings("fort", f"file:{folder}/fort.ts"),  # told with the configuration
    )
    assert [each.level for each in found] == [Level.OK, Level.FAIL, Level.OK, Level.FAIL]
    assert re.fullmatch(rf"feed 'ts': file:{clip} sends H\.264, \d+ x \d+", found[0].what)
    assert found[1].todo == "give the feed's `fps`: such a file does not say"
    assert all(each.todo for each in found if each.level is not Level.OK)


def test_what_is_not_called_is_not_asked() -> None:
    sources = ("rtp://127.0.0.1:0", "udp://127.0.0.1:0", "push", "rtsps://192.0.2.7/x", "rtsp://u:a/b@c/d")
    assert answers(*(FeedSettings(f"f{n}", source) for n, source in enumerate(sources))) == []


@pytest.mark.parametrize(
    ("status", "headers", "level", "todo"),
    [
        ("401 Unauthorized", ['WWW-Authenticate: Basic realm="x"'], Level.FAIL, "correct user and password"),
        ("404 Not Found", [], Level.FAIL, "what stands behind the host"),
        ("453 Not Enough Bandwidth", [], Level.WARN, "one caller only"),
    ],
)
def test_a_camera_says_why_it_sends_nothing(status: str, headers: list[str], level: Level, todo: str) -> None:
    with camera(status, *headers) as port:
        (found,) = answers(FeedSettings("tag", f"rtsp://u:geheim@127.0.0.1:{port}/main"))
    assert found.level is level
    assert todo in found.todo
    assert f"rtsp://127.0.0.1:{port}/main" in found.what


def test_a_camera_that_is_off_is_a_warning() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    (found,) = answers(FeedSettings("tag", f"rtsp://u:geheim@127.0.0.1:{port}/main"))
    assert (found.level, "cannot be reached" in found.what) == (Level.WARN, True)


def test_nobody_is_waited_for_longer_than_the_doctor_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_cameras, "CALL_MOST_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute, SrtEncoder() as encoder:
        rtsp, srt = mute.getsockname()[1], encoder.listen()
        found = answers(
            FeedSettings("a", f"rtsp://127.0.0.1:{rtsp}/main"), FeedSettings("b", f"srt://127.0.0.1:{srt}")
        )
    assert [each.level for each in found] == [Level.WARN] * 2
    assert all("no picture within 0.3 s" in each.what for each in found)


def test_an_encoder_with_another_passphrase_is_told() -> None:
    with SrtEncoder("0123456789") as encoder:
        url = f"srt://127.0.0.1:{encoder.listen()}?passphrase=geheimgeheim"
        (found,) = answers(FeedSettings("tag", url))
    assert (found.level, "compare the passphrase" in found.todo) == (Level.FAIL, True)


def test_pictures_without_a_keyframe_are_told_as_that(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_cameras, "CALL_MOST_S", 2.0)
    stream = written(folder / "rest.ts", coded(30, group=30)[1:], format="mpegts").read_bytes()
    with SrtEncoder() as encoder:
        port = encoder.listen()
        sending = threading.Thread(target=sends_once_called, args=(encoder, stream))
        sending.start()
        (found,) = answers(FeedSettings("tag", f"srt://127.0.0.1:{port}?latency=20"))
        sending.join()
    assert found.level is Level.WARN
    assert "keyframe every 2 s" in found.todo


def sends_once_called(encoder: SrtEncoder, stream: bytes) -> None:
    until_s = time.monotonic() + 10
    while not encoder.was_called():
        assert time.monotonic() < until_s
    with suppress(SrtError):  # the doctor hangs up
        while time.monotonic() < until_s:
            if not encoder.try_send(stream):
                return
            time.sleep(0.1)
