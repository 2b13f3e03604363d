"""Every code that ingest and telemetry can give as a reason or note has a sentence in the page's catalogue;
so has every one that the relay gives for a publisher.

The codes are read out of the source: whatever is handed as a code to an error, an event or a state.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from flow import errors
from flow.flights import UNFIT_NOTES
from recordings.export.jobs import REASONS

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "web" / "dashboard" / "src" / "catalogue.ts"
TREATMENT = CATALOGUE.with_name("treatmentWords.ts")
GROUND = CATALOGUE.with_name("groundWords.ts")
WORDS = tuple(CATALOGUE.parent.rglob("*ords.ts"))

CODE_FIRST = frozenset({"Unusable", "Failure", "_explain", "_failed"})
"""What takes a code as its first argument; `_halt` takes a status before it."""


JUDGES = frozenset({"_judge", "_why_nothing", "_refusal", "_rivalry", "_astray"})
"""What returns a code before its line."""


def sources(room: str) -> Iterator[ast.Module]:
    for path in sorted((ROOT / room).rglob("*.py")):
        if path.name == "settings.py":
            continue  # what is wrong there keeps the service from starting, so no page will ever tell it
        yield ast.parse(path.read_text(encoding="utf-8"))


def text_of(node: ast.expr | None) -> set[str]:
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def codes_of_call(call: ast.Call) -> set[str]:
    """The codes that a call hands on, by its name; an error without one has its class's own."""
    name = name_of(call)
    if name == "UnlocatableError":  # no state of a link: see refusals
        return set()
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, errors.LagebildError):
        return text_of(named["code"]) if "code" in named else {kind.code}
    if name in CODE_FIRST:
        return text_of(call.args[0] if call.args else None)
    if name == "_halt":
        return text_of(call.args[1])
    return text_of(named.get("reason")) | text_of(named.get("code"))


def defaults(function: ast.FunctionDef) -> set[str]:
    """Codes that are handed on where none is given."""
    arguments = function.args.args[len(function.args.args) - len(function.args.defaults) :]
    pairs = zip(arguments, function.args.defaults, strict=True)
    return {code for each, value in pairs if each.arg in ("reason", "code") for code in text_of(value)}


def named_as_code(node: ast.AnnAssign | ast.Assign) -> bool:
    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
    return getattr(target, "id", "") in ("reason", "code")


def returned_first(function: ast.FunctionDef) -> set[str]:
    """Codes that a function returns as (code, line) or (status, code, line)."""
    tuples = (
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple)
    )
    return {code for found in tuples for element in found.elts[:-1] for code in text_of(element)}


def reasons(room: str) -> set[str]:
    found: set[str] = set()
    for tree in sources(room):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                found |= codes_of_call(node)
            elif isinstance(node, ast.AnnAssign | ast.Assign) and named_as_code(node):
                found |= text_of(node.value)
            elif isinstance(node, ast.FunctionDef):
                found |= defaults(node)
                if node.name in JUDGES:
                    found |= returned_first(node)
    return found - {"", "malformed"}  # malformed bytes are told as what they are not


def notes(room: str) -> set[str]:
    found: set[str] = set()
    for tree in sources(room):
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "attr", "") == "clock_note":
                found |= text_of(node.value)
            elif isinstance(node, ast.FunctionDef) and node.name == "notes":
                dicts = (each for each in ast.walk(node) if isinstance(each, ast.Dict))
                found |= {code for each in dicts for key in each.keys for code in text_of(key)}
    return found - {""}


def sentences(prefix: str, *files: Path) -> set[str]:
    """Codes that have one, in these files or in any of the catalogue."""
    texts = (path.read_text(encoding="utf-8") for path in files or (CATALOGUE, *WORDS))
    return {code for text in texts for code in re.findall(rf'^\s*"{prefix}\.(\w+)":', text, re.MULTILINE)}


def refusals(room: str) -> set[str]:
    """Why a place on the ground cannot be told."""
    return {
        code
        for tree in sources(room)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and name_of(node) == "UnlocatableError"
        for keyword in node.keywords
        if keyword.arg == "code"
        for code in text_of(keyword.value)
    }


def test_the_codes_are_found() -> None:
    """Of every way in which a code is given, one."""
    assert {
        "not_video",
        "port_in_use",
        "no_keyframe",
        "source_ended",
        "forbidden_sender",
        "no_fps",
        "url_unescaped",
        "encoder_failed",
        "publisher_left",
        "passphrase_of_sender",
    } <= reasons("ingest")
    assert {
        "file_ended",
        "duplicate_system_id",
        "not_mavlink",
        "connect_failed",
        "no_messages",
        "serial_busy",
        "signature_replayed",
        "position_implausible",
    } <= reasons("telemetry")


@pytest.mark.parametrize(("room", "prefix"), [("ingest", "reason"), ("telemetry", "link")])
def test_every_reason_has_a_sentence(room: str, prefix: str) -> None:
    assert reasons(room) - sentences(prefix) == set()


def test_every_fault_of_metadata_has_a_sentence() -> None:
    """Its codes are those of the codecs' errors; "malformed" is one of them, for nothing else says more."""
    codes = {"malformed"}
    for codec in ("klv", "st0601", "eg0104"):
        tree = ast.parse((ROOT / "flow" / "codec" / f"{codec}.py").read_text(encoding="utf-8"))
        codes |= {
            code for each in ast.walk(tree) if isinstance(each, ast.Call) for code in codes_of_call(each)
        }
    assert {"bad_checksum", "no_checksum", "unknown_set"} <= codes
    assert codes - sentences("link") == set()


def test_what_to_do_is_chosen_for_every_reason_of_ingest() -> None:
    """None falls through to what is said of reasons that are not known."""
    advice = (CATALOGUE.parent / "pilot" / "advice.ts").read_text(encoding="utf-8")
    chosen = set(re.findall(r"^  (\w+): ", advice, re.MULTILINE))
    assert "forbidden_sender" in chosen
    assert reasons("ingest") - chosen == set()


def test_why_a_publisher_by_whip_is_not_there_has_a_sentence() -> None:
    ends = {
        code
        for tree in sources("relay")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Lapse"
        for code in text_of(node.args[0])
    }
    assert {"not_connected", "publisher_silent"} <= ends
    of_offers = {errors.OfferError.code, errors.UnacceptableError.code}
    assert (ends | of_offers) - sentences("reason") == set()


def test_every_note_has_a_sentence() -> None:
    assert {"b_frames", "interlaced", "clock_refused"} <= notes("ingest")
    assert notes("ingest") - sentences("note") == set()


def test_every_reason_to_convert_a_picture_has_words_and_advice() -> None:
    """The codes of UNFIT_NOTES, and of codecs that do not travel (ingest/foreign.py)."""
    foreign = (ROOT / "ingest" / "foreign.py").read_text(encoding="utf-8")
    codes = UNFIT_NOTES | set(re.findall(r'"(codec_\w+)"', foreign))
    assert {"b_frames", "codec_mpeg2", "codec_other"} <= codes
    assert codes - sentences("advice", TREATMENT) == set()
    assert codes | {"scaled"} == sentences("made", TREATMENT)
    assert codes | {"scaled"} <= sentences("note")


def test_why_an_export_failed_or_lacks_a_part_has_a_sentence() -> None:
    assert {"disk_full", "regions"} <= REASONS
    assert sentences(r"export\.reason") == REASONS


def test_why_a_place_on_the_ground_cannot_be_told_has_a_sentence() -> None:
    promised = set(re.findall(r'"(\w+)"', errors.UnlocatableError.__doc__ or ""))
    assert {"no_position", "above_horizon", "pose_stale", "no_terrain"} <= promised
    assert refusals("telemetry") == promised
    assert refusals("web") <= promised
    of_the_page = {"identical"}  # it asks nothing about a picture that a camera repeats
    assert promised | {"markers_full"} | of_the_page == sentences("ground", GROUND)
