"""The decoder process: what waits for what. It runs in this process, and its decoder stops where told to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from flow.units import AccessUnit, Codec
from flow.wire import Deframer
from ingest import picture_decoder
from ingest.picture_decoder import Decoder, serve
from ingest.protocol.decoder_pipe import Message, NoStill, Picture, StillMade, StillWanted, decode, encode
from tests.fakes import scenes
from tests.fakes.scenes import FPS

from .material import coded

GROUP = 2 * FPS
FILM = tuple(scenes.encoded(scenes.flight(), 6 * GROUP, group=GROUP))
DEADLINE_S = 20.0


class Halting(Decoder):
    """Takes no picture beyond those it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Semaphore(0)
        self.begun: list[int] = []
        self.taken: list[int] = []

    def take(self, picture: Picture) -> list[Message]:
        self.begun.append(picture.unit.pts_90k)
        assert self.may.acquire(timeout=DEADLINE_S)
        super().take(picture)
        self.taken.append(picture.unit.pts_90k)
        return []  # nothing but stills is told here


class Process:
    """`serve` on a thread, as its parent sees it."""

    def __init__(self, decoder: Halting) -> None:
        self.decoder = decoder
        self.pipe, theirs = socket.socketpair()
        self.pipe.settimeout(DEADLINE_S)
        self._deframer = Deframer()
        self._theirs = theirs
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        with self._theirs:
            serve(self._theirs)

    def tell(self, *messages: Message) -> None:
        for message in messages:
            self.pipe.sendall(encode(message))

    def answer(self) -> Message:
        while True:
            data = self.pipe.recv(1 << 16)
            assert data, "it has ended"
            if answers := self._deframer.push(data):
                return decode(answers[0])

    def still(self) -> AccessUnit:
        """Which picture it has made a still of."""
        made = self.answer()
        assert isinstance(made, StillMade)
        return next(unit for unit in FILM if unit.pts_90k == made.pts_90k)

    def is_silent(self, for_s: float = 0.2) -> bool:
        self.pipe.settimeout(for_s)
        try:
            return not self.pipe.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self.pipe.settimeout(DEADLINE_S)


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    decoder = Halting()
    monkeypatch.setattr(picture_decoder, "Decoder", lambda: decoder)
    running = Process(decoder)
    yield running
    running.pipe.close()
    decoder.may.release(1000)
    running.thread.join(DEADLINE_S)
    assert not running.thread.is_alive()


def test_a_still_does_not_wait_for_the_picture_in_work(process: Process) -> None:
    process.decoder.may.release(1)
    process.tell(Picture(FILM[0]), Picture(FILM[1]), StillWanted())
    assert process.still() is FILM[0]  # and FILM[1] is not let through yet
    process.decoder.may.release(1)
    while len(process.decoder.taken) < 2:
        time.sleep(0.001)
    process.tell(StillWanted())
    assert process.still() is FILM[1]


def test_a_cold_one_waits_for_the_keyframe_it_is_to_show(process: Process) -> None:
    process.decoder.may.release(1)
    process.tell(Picture(FILM[0], alone=True), StillWanted())
    assert process.still() is FILM[0]
    process.tell(Picture(FILM[GROUP], alone=True), StillWanted())
    assert process.is_silent()
    process.decoder.may.release(1)
    assert process.still() is FILM[GROUP]


def test_the_first_one_waits_for_the_first_picture(process: Process) -> None:
    process.tell(Picture(FILM[0]), Picture(FILM[1]), StillWanted())
    assert process.is_silent()
    process.decoder.may.release(1)
    assert process.still() in FILM[:2]


def test_without_a_picture_it_says_so_at_once(process: Process) -> None:
    process.tell(StillWanted())
    assert isinstance(process.answer(), NoStill)


def test_half_a_second_behind_it_goes_on_at_the_newest_keyframe(process: Process) -> None:
    process.decoder.may.release(1)
    process.tell(*map(Picture, FILM[:2]), StillWanted())
    assert process.still() is FILM[0]
    while FILM[1].pts_90k not in process.decoder.begun:
        time.sleep(0.001)
    process.tell(*map(Picture, FILM[2:]), StillWanted())
    assert process.still() is FILM[0]  # and the rest has come
    process.decoder.may.release(1000)
    while FILM[-1].pts_90k not in process.decoder.taken:
        time.sleep(0.001)
    process.tell(StillWanted())
    while process.still() is not FILM[-1]:  # it is being decoded just now
        process.tell(StillWanted())
    skipped = [unit for unit in FILM if unit.pts_90k not in process.decoder.taken]
    assert skipped == list(FILM[2:-GROUP])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_in_decoding_ends_the_process(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(process.decoder, "take", broken)
    process.tell(Picture(FILM[0]))
    process.thread.join(DEADLINE_S)
    assert not process.thread.is_alive()


def test_a_still_of_2160p_takes_less_than_a_tenth_of_a_second_of_the_processor() -> None:
    """Of 200 ms that it may take in all: no wish waits for a picture in work."""
    unit = replace(FILM[0], codec=Codec.H264, data=coded(1, size=(3840, 2160))[0].data)
    decoder, took = Decoder(), []
    for number in range(4):
        decoder.take(Picture(replace(unit, pts_90k=unit.pts_90k + number), alone=True))
        began_s = time.thread_time()
        made = decoder.still()
        took.append(time.thread_time() - began_s)
        assert isinstance(made, StillMade)
        assert (made.width_px, made.height_px) == (3840, 2160)
    assert min(took) < 0.1
