"""`lagebild doctor` on what the machine must bring for pictures: decoders, the encoder, libsrt."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest

from flow.errors import ConfigError
from ingest import encoder_trial, libsrt, srt_waiting
from ingest.settings import EncodeSettings
from web import doctor_machine
from web.doctor import examine
from web.doctor_machine import check_codecs, check_encoder, check_libsrt
from web.doctor_report import Level
from web.settings import FeedSettings, PublishingSettings, ServerSettings, Settings, WebRtcSettings

from .test_web_doctor import aircraft


def test_codecs_are_there() -> None:
    assert [found.level for found in check_codecs()] == [Level.OK] * 2
    assert check_encoder(EncodeSettings()).level is Level.OK


@pytest.mark.parametrize(
    ("encoder", "preset", "what"),
    [
        ("gibtsnicht", "superfast", "there is no encoder 'gibtsnicht' here"),
        ("mpeg2video", "superfast", "makes mpeg2video, not H.264"),
        ("libx264", "gibtsnicht", "libx264 fails"),
    ],
)
def test_an_encoder_that_makes_no_picture_is_told(encoder: str, preset: str, what: str) -> None:
    found = check_encoder(EncodeSettings(encoder, preset))
    assert (found.level, found.check) == (Level.FAIL, "codec")
    assert what in found.what
    assert "libx264" in found.todo


def test_an_encoder_that_crashes_or_hangs_takes_no_doctor_along(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = {
        "ends": "#!/bin/sh\nkill -SEGV $$\n",
        "hangs": "#!/bin/sh\nexec sleep 60\n",
    }
    monkeypatch.setattr(encoder_trial, "TRIAL_MOST_S", 0.5)
    with tempfile.TemporaryDirectory() as folder:
        for name, program in programs.items():
            path = Path(folder, name)
            path.write_text(program)
            path.chmod(0o755)
            monkeypatch.setattr(sys, "executable", str(path))
            found = check_encoder(EncodeSettings())
            assert found.level is Level.FAIL
            assert ("crashes" if name == "ends" else "no picture within") in found.what


def test_a_missing_codec_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_machine, "DECODERS", (("no-such-codec", "decode nothing"),))
    (found,) = check_codecs()
    assert (found.level, "no-such-codec" in found.what) == (Level.FAIL, True)


def missing() -> NoReturn:
    raise ConfigError("SRT is off: libsrt is not installed", code="srt_missing")


def test_libsrt_matters_to_who_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (check_libsrt(True).level, "libsrt" in check_libsrt(True).what) == (Level.OK, True)
    monkeypatch.setattr(doctor_machine, "load", missing)
    assert (check_libsrt(True).level, check_libsrt(False).level) == (Level.FAIL, Level.WARN)


@pytest.mark.parametrize(
    ("source", "level"),
    [
        ("srt", Level.FAIL),
        ("srt://127.0.0.1:9", Level.FAIL),
        ("SRT://127.0.0.1:9", Level.FAIL),
        ("push", Level.WARN),
        ("rtmp", Level.WARN),
    ],
)
def test_libsrt_is_needed_by_feeds_that_have_no_other_way(
    source: str, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_machine, "load", missing)
    monkeypatch.setattr(libsrt, "load", missing)
    monkeypatch.setattr(srt_waiting, "load", missing)
    settings = Settings(
        ServerSettings(port=0),
        webrtc=WebRtcSettings(port=0),
        publish=PublishingSettings(rtmp_port=0, srt_port=0),
        aircraft=(aircraft(FeedSettings("tag", source)),),
    )
    found = [each for each in examine(lambda: settings, "x") if each.check in ("srt", "camera")]
    assert [each.level for each in found] == [level]
