"""Long work in a thread, beside an event loop that must not wait for it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

_AT_A_TIME_S, _NAP_S = 0.001, 0.000_1

T = TypeVar("T")


def giving_way(items: Iterable[T]) -> Iterator[T]:
    """`items`, with a nap where making and using them took a millisecond.

    A thread that computes is asked for the interpreter only after 5 ms (sys.setswitchinterval), each time
    that the loop has something to do: it would be late by 10 ms all the while. A nap gives it up unasked.
    """
    since_s = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - since_s > _AT_A_TIME_S:
            time.sleep(_NAP_S)
            since_s = time.perf_counter()
