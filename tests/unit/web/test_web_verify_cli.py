"""`lagebild verify`, and where its key comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recordings.export.manifest import Origin
from recordings.export.package import write_package
from recordings.export.signature import grouped, signing_key
from web.cli import main

from .recorded_house import recorded_house


@pytest.fixture
def export(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/track.csv").write_bytes(b"utc,lat,lon\n")
    key = signing_key(tmp_path)
    (tmp_path / "public.pem").write_bytes(key.public.pem)
    origin = Origin("20261122t044900z-fritz", {}, (), "2026-11-22T05:00:00Z", "lagebild 0.1.0")
    write_package(tmp_path / "parts", tmp_path / "export.zip", key, origin)
    return tmp_path / "export.zip"


def test_an_intact_export_ends_with_0(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(export)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("INTACT: export.zip")
    assert "20261122t044900z-fritz" in told
    assert "NOT checked" in told  # whose key that is


@pytest.mark.parametrize("as_file", [True, False])
def test_the_key_is_compared(export: Path, as_file: bool, capsys: pytest.CaptureFixture[str]) -> None:
    public = export.with_name("public.pem")
    key = str(public) if as_file else grouped(signing_key(export.parent).public.fingerprint)
    assert main(["verify", str(export), "--key", key]) == 0
    assert "NOT" not in capsys.readouterr().out


def test_a_foreign_key_ends_with_1(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(export), "--key", "0" * 64]) == 1
    assert "another key" in capsys.readouterr().out


def test_what_is_wrong_is_told_for_programs_too(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export.write_bytes(export.read_bytes().replace(b"utc,lat,lon", b"utc,lat,LON"))
    assert main(["verify", str(export), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["intact"] is False
    assert {"changed", "zip"} == {finding["fault"] for finding in told["findings"]}
    assert "track.csv" in {finding["name"] for finding in told["findings"]}


def test_names_do_nothing_to_the_terminal(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = export.parent / "parts"
    (folder / "evil\x1b[2J\udcff.txt").write_bytes(b"x")
    assert main(["verify", str(folder)]) == 1
    assert "\x1b" not in capsys.readouterr().out
    assert main(["verify", str(folder), "--json"]) == 1


@pytest.mark.parametrize(
    "arguments", [["no-such.zip"], ["{export}", "--key", "nonsense"], ["{export}", "--key", "{export}"]]
)
def test_what_cannot_be_looked_at_ends_with_2(
    export: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *(each.format(export=export) for each in arguments)]) == 2
    assert capsys.readouterr().err.startswith("lagebild: ")


@pytest.mark.parametrize("data", [b"", b"hello", bytes(1000), b"PK\x03\x04" + bytes(100)])
def test_what_is_no_export_is_not_intact(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "some.zip").write_bytes(data)
    assert main(["verify", str(tmp_path / "some.zip")]) == 1


async def test_the_server_tells_the_public_key_and_no_other(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        told = await house.get("/api/v1/signing-key")
        public = signing_key(tmp_path).public
        assert told == {"algorithm": "Ed25519", "fingerprint": public.fingerprint, "pem": public.pem.decode()}
        (tmp_path / "signing-key.pem").write_text("nonsense")
        refused = await house.get("/api/v1/signing-key", 503)
        assert str(tmp_path) not in refused["error"]["message"]
