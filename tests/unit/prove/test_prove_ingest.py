"""The proof of ingest's parsers, made short, and what it would not let pass."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from tests.prove.mutation import Mutator
from tests.prove.parsers import PARSERS
from tests.prove.parsing import prove

INPUTS = 150


def test_the_long_form_is_a_million() -> None:
    assert sum(inputs for inputs, _ in PARSERS.values()) >= 1_000_000


@pytest.mark.parametrize("name", list(PARSERS))
def test_every_parser_stands(name: str) -> None:
    record = prove(name, PARSERS[name][1], INPUTS, time.monotonic() + 60)
    assert record["ok"], record
    assert record["inputs"] == INPUTS


class Bad:
    """A parser with a defect at one input."""

    def __init__(self, kind: str) -> None:
        self.reached = Counter(taken=1, refused=1)
        self._kind, self._fed = kind, 0
        self._kept: list[bytes] = []

    def one(self, mutator: Mutator) -> None:
        self._fed += 1
        if self._kind == "raises" and self._fed == 50:
            raise IndexError
        if self._kind == "is slow" and self._fed == 50:
            until = time.thread_time() + 0.06
            while time.thread_time() < until:
                pass
        if self._kind == "keeps" and self._fed > 50:
            self._kept.append(bytes(mutator.dice.randbytes(1)) * 500_000)
        if self._kind == "accepts all":
            self.reached["refused"] = 0


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("raises", "an error that is not ours"),
        ("is slow", "one input took too long"),
        ("keeps", "memory grew"),
        ("accepts all", "nothing was ever refused"),
    ],
)
def test_defects_are_found(kind: str, fault: str) -> None:
    record = prove("bad", lambda: Bad(kind), 100, time.monotonic() + 60)
    assert fault in record["faults"]
    assert not record["ok"]


def test_a_proof_that_does_not_fit_into_its_time_fails() -> None:
    record = prove("late", lambda: Bad(""), 100, time.monotonic() - 1)
    assert "fewer inputs than promised" in record["faults"]
