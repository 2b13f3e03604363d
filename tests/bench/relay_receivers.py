"""The viewers' process: `python -m tests.bench.relay_receivers HOST [gcm|cm80]`, spoken to in lines of JSON.

Each line on standard input is `{"id": …, "do": …}` with its arguments, each on standard output the answer
to one of them, by `id`, with "error" where it failed. When standard input closes, the viewers leave.
tests/bench/viewers/client.py is the other side.
"""

from __future__ import annotations

import json
import os
import resource
import select
import sys
import time
from typing import Any

from tests.bench.viewers.dtls import Identity
from tests.bench.viewers.page_socket import PageSocket
from tests.bench.viewers.viewer import Viewer

JOIN_WITHIN_NS = 10_000_000_000
_STDIN = 0


class Receivers:
    """All viewers of this process on one epoll."""

    def __init__(self, host: str, profile: str) -> None:
        self._host = host
        self._identity = Identity(profile)
        self._viewers: list[Viewer] = []
        self._by_socket: dict[int, Viewer] = {}
        self._joining: dict[int, tuple[int, int]] = {}  # viewer -> (id of the question, deadline)
        self._poll = select.epoll()
        self._poll.register(_STDIN, select.EPOLLIN)
        self._pending = b""

    def run(self) -> None:
        """Until standard input closes."""
        while True:
            now_ns = time.monotonic_ns()
            due_ns = min((v.due_ns for v in self._viewers), default=now_ns + 1_000_000_000)
            for fd, _ in self._poll.poll(max(0.0, (due_ns - now_ns) / 1e9)):
                if fd != _STDIN:
                    self._by_socket[fd].receive(time.monotonic_ns())
                elif not self._read_questions():
                    return
            self._tick(time.monotonic_ns())

    def close(self) -> None:
        for viewer in self._viewers:
            viewer.close()

    def _tick(self, now_ns: int) -> None:
        for viewer in self._viewers:
            if viewer.due_ns <= now_ns:
                viewer.tick(now_ns)
        for number, (question, deadline_ns) in list(self._joining.items()):
            viewer = self._viewers[number]
            if viewer.joined_ns is not None:
                _say(question, joined=number)
            elif now_ns > deadline_ns:
                _say(question, error=f"viewer {number}: {viewer.why_not()} within 10 s")
            else:
                continue
            del self._joining[number]

    def _read_questions(self) -> bool:
        data = os.read(_STDIN, 1 << 20)
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            question = json.loads(line)
            try:
                self._answer(question, time.monotonic_ns())
            except (ValueError, OSError) as error:
                _say(question["id"], error=f"{type(error).__name__}: {error}")
        return bool(data)

    def _answer(self, question: dict[str, Any], now_ns: int) -> None:
        number, asked = question["id"], question["do"]
        if asked == "offer":
            viewer = self._new(now_ns)
            _say(number, viewer=viewer.number, sdp=viewer.offer())
        elif asked == "answer":
            viewer = self._new(now_ns)
            _say(number, viewer=viewer.number, sdp=viewer.answer(question["sdp"], now_ns))
        elif asked == "accept":
            self._viewers[question["viewer"]].accept(question["sdp"], now_ns)
            _say(number)
        elif asked == "joined":
            self._joining[question["viewer"]] = (number, now_ns + JOIN_WITHIN_NS)
        elif asked == "listen":
            self._viewers[question["viewer"]].page = PageSocket(question["url"])
            _say(number)
        elif asked == "mark":
            for viewer in self._viewers:
                viewer.mark(question["nack_share"], arrivals=viewer.number in question["sampled"])
            _say(number)
        elif asked == "counts":
            _say(number, viewers=[v.counts() for v in self._viewers], cpu_s=time.process_time())
        else:
            raise ValueError(f"what is '{asked}'?")

    def _new(self, now_ns: int) -> Viewer:
        viewer = Viewer(len(self._viewers), self._host, self._identity, now_ns)
        viewer.due_ns = now_ns + JOIN_WITHIN_NS  # nothing to do before the server has answered
        self._viewers.append(viewer)
        self._by_socket[viewer.socket.fileno()] = viewer
        self._poll.register(viewer.socket.fileno(), select.EPOLLIN)
        return viewer


def _say(number: int, **answer: Any) -> None:
    sys.stdout.write(json.dumps({"id": number, **answer}) + "\n")
    sys.stdout.flush()


def main(host: str, profile: str = "gcm") -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    receivers = Receivers(host, profile)
    try:
        receivers.run()
    finally:
        receivers.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
