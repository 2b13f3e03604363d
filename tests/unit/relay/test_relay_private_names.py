"""The list of aiortc's private names is complete, and the proof that each is missed sees what is unclear."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from relay import aiortc_seam
from tests.prove.names import is_clear, names, taken_away

CLEAR = "this version of aiortc or aioice lacks aiortc.sdp.SessionDescription; 1.16.0 has them"
MODULES = {"rtcdtlstransport", "rtcdtlstransport.State", "sdp", "sdp.SessionDescription", "aioice.ice"}
OBJECTS = {"profile", "session", "group", "media", "super()", "self._dtls"}
"""What the seam calls the objects that aiortc makes, or lets us make."""


class Uses(ast.NodeVisitor):
    """What the code looks up of aiortc's modules, classes and objects as it runs, and what it overrides."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_Attribute(self, node: ast.Attribute) -> None:
        owner = ast.unparse(node.value)
        ours = owner in {"super()", "self._dtls"} and not node.attr.startswith("_")  # public, or our own
        if owner in MODULES | OBJECTS and not ours:
            self.found.add(node.attr)
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if {ast.unparse(base) for base in node.bases} & {"RTCDtlsTransport", "RTCCertificate"}:
            ours = {ast.unparse(part.target) for part in node.body if isinstance(part, ast.AnnAssign)}
            overridden = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
            inherited = {
                part.attr
                for part in ast.walk(node)
                if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "self"
            }
            self.found |= {name for name in overridden | inherited if name.startswith("_")} - ours
        elif node.name == "_Link":  # what RTCDtlsTransport awaits
            self.found |= {part.name for part in node.body if isinstance(part, ast.AsyncFunctionDef)}
        self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        """Annotations are never looked at."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)


def test_every_private_name_that_the_seam_uses_is_on_its_list() -> None:
    uses = Uses()
    tree = ast.parse(Path(aiortc_seam.__file__).read_text(encoding="utf-8"))
    # What is before, checks; what comes after, uses.
    checked = [ast.unparse(node) for node in tree.body].index("check_private_names()")
    for node in tree.body[checked:]:
        uses.visit(node)
    listed = {name for _, _, listed in aiortc_seam.PRIVATE_NAMES for name in listed}
    assert uses.found - {"__init__"} <= listed, uses.found - listed
    assert listed <= uses.found, listed - uses.found


def test_each_of_them_is_taken_away_in_the_proof() -> None:
    every = {f"{where}.{name}" for where, _, listed in aiortc_seam.PRIVATE_NAMES for name in listed}
    assert every < {f"{where}.{name}" for where, name in taken_away()}


@pytest.mark.parametrize(
    "said",
    [
        """nothing clear: ["ImportError: cannot import name 'SessionDescription' from 'aiortc.sdp'"]""",
        "nothing clear: AttributeError: module 'aiortc.sdp' has no attribute 'SessionDescription'",
        "nothing at all",
        "",
        CLEAR.replace("SessionDescription", "parameters_to_sdp"),
        "something\n" + CLEAR,
    ],
)
def test_a_traceback_that_happens_to_have_the_name_is_not_clear(said: str) -> None:
    assert not is_clear(said, "SessionDescription")
    assert is_clear(CLEAR, "SessionDescription")


def test_a_name_that_nobody_looks_for_fails_the_proof() -> None:
    record = names(
        [("aiortc", "RTCDtlsFingerprint"), ("aiortc.sdp", "BitPattern"), ("aiortc.sdp", "DTLS_ROLE_SETUP")]
    )
    assert record["unclear"] == ["aiortc.RTCDtlsFingerprint", "aiortc.sdp.BitPattern"]
    assert not record["ok"]
