"""A pytest plugin: the fixture `lagebild_replay` plays a recorded flight, or files, into ports of the test.

Nothing of it is loaded before a test asks for it.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .protocol.timing import Send

ENDS_WITHIN_S = 30.0
PathLike = str | Path


@dataclass(frozen=True, slots=True)
class Sent:
    """One datagram, as it really left; times in Unix nanoseconds."""

    due_ns: int
    sent_ns: int
    late_ns: int
    port: int
    size: int


class Replay:
    """A replay in a process of its own. It ends with the test, if not before."""

    def __init__(self, arguments: list[str], report: Path) -> None:
        self._arguments, self._report = arguments, report
        command = [sys.executable, "-m", "recordings.replay", *arguments, f"--report={report}", "--control"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    @property
    def hash(self) -> str:
        """SHA-256 of the schedule: the same for the same recording, manner and seed."""
        from .plan import SHOWN_START_NS, hash_of

        return hash_of(self.schedule(), SHOWN_START_NS)

    def schedule(self) -> Iterator[Send]:
        """One lap of it, as it would be sent from `recordings.plan.SHOWN_START_NS` on."""
        from .replay import schedule_of

        return schedule_of(self._arguments)

    def seek(self, seconds: float) -> None:
        self._order(seek_s=seconds)

    def set_speed(self, speed: float) -> None:
        self._order(speed=speed)

    def pause(self, pause: bool = True) -> None:
        self._order(pause=pause)

    def _order(self, **order: float) -> None:
        stdin = self._stdin
        stdin.write(json.dumps(order).encode() + b"\n")
        stdin.flush()

    def wait(self, timeout_s: float = 60.0) -> int:
        """Until the recording has ended; the exit code."""
        return self.process.wait(timeout_s)

    def stop(self) -> None:
        """End it now. To be called more than once."""
        self._stdin.close()
        try:
            self.process.wait(ENDS_WITHIN_S)
        finally:
            self.process.kill()
            self.process.wait()

    def lateness(self) -> list[Sent]:
        """Every datagram that was sent; of a replay that has ended."""
        with self._report.open(encoding="ascii", newline="") as file:
            return [Sent(*map(int, row)) for row in list(csv.reader(file))[1:]]

    @property
    def _stdin(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin


Start = Callable[..., Replay]


@pytest.fixture
def lagebild_replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts replays: `lagebild_replay(flight=FOLDER, rtp=[PORT], mavlink=PORT, seed=1, loss=0.01)`.

    `flight` is the folder of a recorded flight; or `video` and perhaps `telemetry` are files. `rtp` has a
    port (or "HOST:PORT") for each camera. What else is named are options of `lagebild replay`: `from_=10`,
    `skip_gaps=2`, `loop=True`, `outage="60,2"`. Without a `seed` it is 0.
    """
    with ExitStack() as replays:

        def start(
            *,
            flight: PathLike | None = None,
            video: PathLike | Sequence[PathLike] = (),
            rtp: int | str | Sequence[int | str] = (),
            mavlink: int | str | None = None,
            seed: int = 0,
            **manner: object,
        ) -> Replay:
            arguments = [f"--seed={seed}"]
            arguments += [f"--flight={flight}"] if flight else []
            arguments += [f"--video={path}" for path in ([video] if isinstance(video, str | Path) else video)]
            arguments += [f"--rtp={_address(to)}" for to in ([rtp] if isinstance(rtp, int | str) else rtp)]
            arguments += [f"--mavlink={_address(mavlink)}"] if mavlink else []
            arguments += [_option(name, value) for name, value in manner.items() if value is not False]
            replay = Replay(arguments, tmp_path_factory.mktemp("replay") / "report.csv")
            replays.callback(replay.stop)
            return replay

        yield start


def _address(to: int | str) -> str:
    return f"127.0.0.1:{to}" if isinstance(to, int) else to


def _option(name: str, value: object) -> str:
    option = f"--{name.rstrip('_').replace('_', '-')}"
    return option if value is True else f"{option}={value}"
