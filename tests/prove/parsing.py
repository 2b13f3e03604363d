"""A million hostile inputs over every parser of a room; 15 minutes at most.

A parser fails by an error that is not one of ours, by computing too long over one input, or by holding on to
memory.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from .mutation import Mutator
from .parsers import MakeParser
from .resources import resident_kb

Record: TypeAlias = dict[str, Any]

SEED = 4
ALL_WITHIN_S = 840.0
WORST_MS = 50.0
"""Of CPU time for one input: so long the event loop would stand still."""

GROWTH_KB = 20_000
WARM_UP = 0.1  # of the inputs: what is kept by then is kept by design


def prove(name: str, make: MakeParser, inputs: int, until: float) -> Record:
    """Feed one parser; the record of how it went. `until` is of time.monotonic()."""
    mutator, parser = Mutator(SEED), make()
    gc.collect()
    gc.freeze()  # as the service does once it has started: else its collections are counted, too
    fed, worst_ms, began, before = 0, 0.0, time.monotonic(), resident_kb()
    failure = ""
    while fed < inputs and time.monotonic() < until and not failure:
        if fed == round(inputs * WARM_UP):
            before = resident_kb()
        began_cpu = time.thread_time()
        try:
            parser.one(mutator)
        except Exception:
            failure = traceback.format_exc(limit=-4)
        worst_ms = max(worst_ms, (time.thread_time() - began_cpu) * 1000)
        fed += 1
    record: Record = {
        "promised": inputs,
        "inputs": fed,
        "reached": dict(sorted(parser.reached.items())),
        "worst_ms": round(worst_ms, 2),
        "growth_kb": resident_kb() - before,
        "seconds": round(time.monotonic() - began, 1),
        "seed": SEED,
        "failure": failure,
    }
    found = faults(record)
    return {**record, "faults": found, "ok": not found}


def faults(record: Record) -> list[str]:
    """What of a record is not good enough."""
    wrong = {
        "an error that is not ours": bool(record["failure"]),
        "fewer inputs than promised": record["inputs"] < record["promised"],
        "one input took too long": record["worst_ms"] >= WORST_MS,
        "memory grew": record["growth_kb"] >= GROWTH_KB,
        "nothing was ever refused": not record["reached"].get("refused"),
        "nothing ever came through": not record["reached"].get("taken"),
    }
    return [what for what, is_so in wrong.items() if is_so]


def prove_all(room: str, parsers: Mapping[str, tuple[int, MakeParser]]) -> NoReturn:
    """Feed them all, print a line for each, write build/prove/ROOM.json; exits with 1 if one failed."""
    until = time.monotonic() + ALL_WITHIN_S
    records: Record = {}
    for name, (inputs, make) in parsers.items():
        record = records[name] = prove(name, make, inputs, until)
        verdict = "proved" if record["ok"] else "FAILED"
        print(f"{verdict:7} {name}: {record['inputs']} inputs, {record['seconds']:.0f} s", flush=True)
        if not record["ok"]:
            print(json.dumps(record, indent=1), file=sys.stderr, flush=True)
    folder = Path("build/prove")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{room}.json").write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    failed = [name for name, record in records.items() if not record["ok"]]
    total = sum(record["inputs"] for record in records.values())
    print(json.dumps({"parsers": len(records), "inputs": total, "failed": failed}))
    sys.exit(bool(failed))
