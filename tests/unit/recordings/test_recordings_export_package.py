"""Exports packed, signed and verified: what is untouched is intact, and whatever is touched is named."""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import resource
import shutil
import signal
import stat
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow.errors import ConfigError, LagebildError, MalformedError
from recordings.export.contents import Content
from recordings.export.how_to_check import COMMANDS
from recordings.export.manifest import SEALS, Origin, checked_names, decoded, encoded
from recordings.export.package import write_package
from recordings.export.signature import PublicKey, SigningKey, as_fingerprint, grouped, signing_key
from recordings.export.stored_zip import Entry, directory, local_header, read_header
from recordings.export.verify import Fault, KeyIs, Verdict, judged, verify
from recordings.folders import SIGNING_KEY_FILE

KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes(32)))
ORIGIN = Origin(
    "20261122t044900z-fritz", {"by": "Meier, ELW 1"}, (), "2026-11-22T05:00:00Z", "lagebild 0.1.0"
)
FILES = {
    "report/report.html": b"<!doctype html>",
    "telemetry/track.csv": b"utc,lat,lon\n",
    "video/fritz-tag.mp4": bytes(range(256)) * 8,
    "video/empty.ts": b"",
}


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def export(parts: Path, tmp_path: Path) -> Path:
    write_package(parts, tmp_path / "export.zip", KEY, ORIGIN)
    return tmp_path / "export.zip"


@pytest.fixture
def unpacked(export: Path, tmp_path: Path) -> Path:
    with zipfile.ZipFile(export) as archive:
        archive.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked"


def faults(verdict: Verdict) -> set[tuple[Fault, str]]:
    assert not verdict.intact
    return {(finding.fault, finding.name) for finding in verdict.findings}


def repacked(export: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """As somebody does it with any ZIP program."""
    with zipfile.ZipFile(export) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(export, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return export


# --- what is untouched --------------------------------------------------------------------------------------


def test_an_export_is_intact_as_it_was_made(export: Path) -> None:
    verdict = verify(export, KEY.public.fingerprint)
    assert verdict.intact
    assert verdict.key is KeyIs.EXPECTED
    assert verdict.manifest is not None
    assert verdict.manifest.origin == ORIGIN
    assert set(FILES) < {file.name for file in verdict.manifest.files}


def test_an_export_is_intact_when_unpacked(unpacked: Path) -> None:
    assert verify(unpacked).intact
    assert verify(unpacked).key is KeyIs.NOT_COMPARED


def test_the_same_files_make_the_same_zip(parts: Path, export: Path, tmp_path: Path) -> None:
    for path in parts.rglob("*"):
        os.utime(path, (1, 1))
    write_package(parts, tmp_path / "again.zip", KEY, ORIGIN)
    assert (tmp_path / "again.zip").read_bytes() == export.read_bytes()


def test_others_read_the_zip(export: Path, tmp_path: Path) -> None:
    subprocess.run(["unzip", "-q", export, "-d", tmp_path / "by-unzip"], check=True)
    assert (tmp_path / "by-unzip" / "video/fritz-tag.mp4").read_bytes() == FILES["video/fritz-tag.mp4"]
    with zipfile.ZipFile(export) as archive:
        assert archive.testzip() is None


def test_public_tools_find_an_export_whole(unpacked: Path) -> None:
    """The commands that the export itself names."""
    said = [
        subprocess.run(["sh", "-c", command], cwd=unpacked, capture_output=True, check=True, text=True).stdout
        for command in COMMANDS
    ]
    assert said[0].split()[0] == KEY.public.fingerprint
    assert "Verified Successfully" in said[1]
    assert said[2] == "1\n"
    assert said[3]
    assert all(line.endswith(": OK") for line in said[3].splitlines())
    listed = {line.removeprefix("./") for line in said[4].splitlines()}
    named = {line.split(": ")[0] for line in said[3].splitlines()}
    assert listed == named | {*SEALS, "sha256sums.txt"}
    assert set(FILES) < named


def test_the_page_on_exports_has_these_commands() -> None:
    page = (Path(__file__).parents[3] / "docs" / "exports.md").read_text(encoding="utf-8")
    assert [line.strip() for line in page.splitlines() if line.strip() in COMMANDS] == list(COMMANDS)


def test_public_tools_find_a_change(unpacked: Path) -> None:
    (unpacked / "telemetry/track.csv").write_bytes(b"utc,lat,lom\n")
    (unpacked / "manifest.json").write_bytes((unpacked / "manifest.json").read_bytes() + b" ")
    codes = [
        subprocess.run(["sh", "-c", command], cwd=unpacked, capture_output=True, check=False).returncode
        for command in COMMANDS
    ]
    assert codes[1] != 0
    assert codes[3] != 0


# --- what was touched ---------------------------------------------------------------------------------------


def test_one_bit_anywhere_in_the_zip_is_found(export: Path) -> None:
    whole = export.read_bytes()
    flipped = export.with_name("flipped.zip")

    @settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(bit=st.integers(0, len(whole) * 8 - 1))
    def found(bit: int) -> None:
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        flipped.write_bytes(data)
        assert not verify(flipped, KEY.public.fingerprint).intact

    found()


def test_a_bit_of_headers_directory_and_seals_is_found(parts: Path, tmp_path: Path) -> None:
    """All through the smallest export, which is little else."""
    shutil.rmtree(parts)
    parts.mkdir()
    (parts / "a").write_bytes(b"a")
    write_package(parts, tmp_path / "small.zip", KEY)
    whole = (tmp_path / "small.zip").read_bytes()
    for byte in range(len(whole)):
        if byte % 11 == 0 or whole[byte : byte + 2] == b"PK":
            data = bytearray(whole)
            data[byte] ^= 1 << byte % 8
            (tmp_path / "small.zip").write_bytes(data)
            assert not verify(tmp_path / "small.zip").intact, byte


PLACES = st.integers(0, 1 << 16)
TOUCHES = st.one_of(
    st.tuples(st.just("put"), PLACES, st.binary(max_size=40)),
    st.tuples(st.just("cut"), PLACES, st.binary(max_size=40)),
    st.tuples(st.just("over"), PLACES, st.binary(min_size=1, max_size=8)),
)


@pytest.mark.parametrize("anew", [False, True])
def test_whatever_is_done_to_a_zip_is_found_and_no_error(export: Path, anew: bool) -> None:
    """Of the form it has, and packed anew: then all of zipfile lies in the way."""
    sealed = export.read_bytes()
    whole = repacked(export, lambda files: None).read_bytes() if anew else sealed

    @settings(max_examples=100, deadline=None, derandomize=True)
    @given(touches=st.lists(TOUCHES, min_size=1, max_size=6))
    def found(touches: list[tuple[str, int, bytes]]) -> None:
        data = whole
        for how, place, piece in touches:
            at = len(data) - place % (len(data) + 1)
            keeps = {"put": 0, "cut": 5, "over": len(piece)}[how]
            data = data[:at] + (b"" if how == "cut" else piece) + data[at + keeps :]
        export.write_bytes(data)
        assert verify(export).intact == (data == sealed)

    found()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(name=st.sampled_from([*FILES, *SEALS, "sha256sums.txt"]), data=st.data())
def test_one_bit_of_any_file_is_found_and_named(name: str, data: st.DataObject) -> None:
    contents = Made(KEY)
    whole = contents.files[name]
    if not whole:
        return
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    changed = bytearray(whole)
    changed[bit // 8] ^= 1 << bit % 8
    contents.files[name] = bytes(changed)
    named = {finding.name for finding in judged(contents, KEY.public.fingerprint).findings}
    assert named & ({name, "manifest.json"} if name in SEALS else {name})


class Made:
    """An export in memory."""

    fault, keeps_order = "", False

    def __init__(self, key: SigningKey) -> None:
        self.files = dict(_packed(key))

    def names(self) -> list[str]:
        return list(self.files)

    def read(self, name: str, limit_bytes: int) -> Content | None:
        data = self.files[name]
        return Content(len(data), hashlib.sha256(data).hexdigest(), data)


@functools.cache
def _packed(key: SigningKey) -> tuple[tuple[str, bytes], ...]:
    with tempfile.TemporaryDirectory() as folder:
        for name, data in FILES.items():
            path = Path(folder, "parts", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        write_package(Path(folder, "parts"), Path(folder, "export.zip"), key, ORIGIN)
        with zipfile.ZipFile(Path(folder, "export.zip")) as archive:
            return tuple((name, archive.read(name)) for name in archive.namelist())


def test_what_was_changed_added_and_removed_is_named(export: Path) -> None:
    def tamper(files: dict[str, bytes]) -> None:
        files["telemetry/track.csv"] = b"utc,lat,lon\n1,2,3\n"
        files["extra.txt"] = b"unsigned"
        del files["video/fritz-tag.mp4"]

    assert faults(verify(repacked(export, tamper))) == {
        (Fault.ZIP, ""),
        (Fault.CHANGED, "telemetry/track.csv"),
        (Fault.ADDED, "extra.txt"),
        (Fault.MISSING, "video/fritz-tag.mp4"),
    }


def test_in_a_folder_too(unpacked: Path) -> None:
    (unpacked / "telemetry/track.csv").write_bytes(b"")
    (unpacked / "video/.hidden").write_bytes(b"unsigned")
    (unpacked / "video/fritz-tag.mp4").unlink()
    assert faults(verify(unpacked)) == {
        (Fault.CHANGED, "telemetry/track.csv"),
        (Fault.ADDED, "video/.hidden"),
        (Fault.MISSING, "video/fritz-tag.mp4"),
    }


def test_a_zip_packed_anew_is_not_the_one_that_was_made(export: Path) -> None:
    assert faults(verify(repacked(export, lambda files: None))) == {(Fault.ZIP, "")}


@pytest.mark.parametrize(
    "touch",
    [
        lambda data: data + b"\x00",
        lambda data: b"#!/bin/sh\n" + data,
        lambda data: data[:-2] + b"\x05\x00hello",  # a comment
        lambda data: data[:-30],
        lambda data: data * 2,
        lambda data: b"",
        lambda data: b"PK\x05\x06" + bytes(18),
    ],
)
def test_what_is_put_around_a_zip_or_cut_off_is_found(export: Path, touch: Callable[[bytes], bytes]) -> None:
    export.write_bytes(touch(export.read_bytes()))
    assert not verify(export).intact


def test_a_second_file_of_the_same_name_is_found(export: Path) -> None:
    """Which of two a program shows differs; a directory that is in order itself has both."""
    with zipfile.ZipFile(export) as archive:
        files = [(name, archive.read(name)) for name in archive.namelist()]
    files.append(("telemetry/track.csv", b"another one\n"))
    entries = [Entry(name, len(data), zlib.crc32(data)) for name, data in files]
    packed = b"".join(local_header(e) + data for e, (_, data) in zip(entries, files, strict=True))
    export.write_bytes(packed + directory(entries))
    assert (Fault.ADDED, "telemetry/track.csv") in faults(verify(export))


def test_another_order_of_files_is_found(export: Path) -> None:
    with zipfile.ZipFile(export) as archive:
        files = [(name, archive.read(name)) for name in reversed(archive.namelist())]
    entries = [Entry(name, len(data), zlib.crc32(data)) for name, data in files]
    packed = b"".join(local_header(e) + data for e, (_, data) in zip(entries, files, strict=True))
    export.write_bytes(packed + directory(entries))
    assert faults(verify(export)) == {(Fault.ZIP, "")}


def test_a_directory_that_shows_another_file_than_the_headers_is_found(export: Path) -> None:
    data = bytearray(export.read_bytes())
    at = data.rindex(b"telemetry/track.csv")
    data[at : at + 19] = b"telemetry/Track.csv"
    export.write_bytes(data)
    assert (Fault.ZIP, "") in faults(verify(export))


def test_paths_that_lead_out_are_only_named(export: Path, tmp_path: Path) -> None:
    repacked(export, lambda files: files.update({"../../etc/passwd": b"x", "/abs": b"y"}))
    assert {(Fault.ADDED, "../../etc/passwd"), (Fault.ADDED, "/abs")} <= faults(verify(export))
    assert not (tmp_path.parent / "etc").exists()


def test_a_signed_manifest_with_names_that_lead_out_is_none(unpacked: Path) -> None:
    """Even of the right key: nothing outside is read for it."""
    manifest = decoded((unpacked / "manifest.json").read_bytes())
    data = encoded(manifest).replace(b"telemetry/track.csv", b"../../../etc/passwd")
    (unpacked / "manifest.json").write_bytes(data)
    (unpacked / "manifest.sig").write_bytes(KEY.sign(data))
    assert (Fault.CHANGED, "manifest.json") in faults(verify(unpacked))


def test_links_are_not_followed(unpacked: Path, tmp_path: Path) -> None:
    original = unpacked / "telemetry"
    shutil.move(original, tmp_path / "elsewhere")
    original.symlink_to(tmp_path / "elsewhere")
    (unpacked / "video/fritz-tag.mp4").rename(tmp_path / "film")
    (unpacked / "video/fritz-tag.mp4").symlink_to(tmp_path / "film")
    found = faults(verify(unpacked))
    assert {(Fault.CHANGED, "video/fritz-tag.mp4"), (Fault.MISSING, "telemetry/track.csv")} <= found


def test_a_folder_that_cannot_be_looked_into_is_not_called_intact(
    unpacked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (unpacked / "closed").mkdir()
    look = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return look(path)

    monkeypatch.setattr(os, "scandir", scandir)  # who tests may be root, who may look everywhere
    with pytest.raises(PermissionError):
        verify(unpacked)


def test_a_zip_that_unpacks_without_end_is_not_unpacked(export: Path) -> None:
    repacked(export, lambda files: files.update({"video/fritz-tag.mp4": bytes(30_000_000)}))
    assert (Fault.CHANGED, "video/fritz-tag.mp4") in faults(verify(export))


def test_what_somebody_else_signed_anew_is_told_by_its_key(export: Path, parts: Path) -> None:
    """In itself it is whole: that is why a fingerprint has to be known by another way."""
    (parts / "telemetry/track.csv").write_bytes(b"forged")
    write_package(parts, export, OTHER, ORIGIN)
    assert verify(export).intact
    assert verify(export).key is KeyIs.NOT_COMPARED
    verdict = verify(export, KEY.public.fingerprint)
    assert faults(verdict) == {(Fault.FOREIGN_KEY, "public-key.pem")}
    assert verdict.fingerprint == OTHER.public.fingerprint


@pytest.mark.parametrize("seal", SEALS)
def test_a_seal_that_is_missing_is_named(unpacked: Path, seal: str) -> None:
    (unpacked / seal).unlink()
    assert (Fault.MISSING, seal) in faults(verify(unpacked))


def test_the_key_alone_cannot_be_swapped(unpacked: Path) -> None:
    (unpacked / "public-key.pem").write_bytes(OTHER.public.pem)
    assert {(Fault.CHANGED, "public-key.pem"), (Fault.UNSIGNED, "manifest.json")} <= faults(verify(unpacked))


# --- packing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [["a", "A"], ["../a"], ["/a"], ["a//b"], ["a\\b"], ["con.txt"], ["a."], ["Manifest.json"], ["ä"], ["a b"],
     ["-rf"], [".hidden"], [""]],
)  # fmt: skip
def test_names_that_some_system_cannot_have_are_refused(names: list[str]) -> None:
    with pytest.raises(MalformedError):
        checked_names(names)


def test_a_link_is_not_packed(parts: Path, tmp_path: Path) -> None:
    (parts / "link").symlink_to("/etc/passwd")
    with pytest.raises(OSError):  # noqa: PT011
        write_package(parts, tmp_path / "export.zip", KEY)
    assert not (tmp_path / "export.zip").exists()


def test_a_full_disk_leaves_no_zip(parts: Path, tmp_path: Path) -> None:
    (parts / "video/large.mp4").write_bytes(bytes(1_000_000))
    previous = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, previous[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write_package(parts, tmp_path / "export.zip", KEY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, previous)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not (tmp_path / "export.zip").exists()


def test_progress_comes_to_its_end(parts: Path, tmp_path: Path) -> None:
    told: list[float] = []
    write_package(parts, tmp_path / "export.zip", KEY, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_reserved_name_is_refused(parts: Path, tmp_path: Path) -> None:
    (parts / "manifest.json").write_bytes(b"{}")
    with pytest.raises(LagebildError):
        write_package(parts, tmp_path / "export.zip", KEY)


def test_five_gigabytes_are_found_by_others(tmp_path: Path) -> None:
    """ZIP64: the large file is a hole, so that it takes no room."""
    large, small = Entry("large.mp4", 5 << 30, 0), Entry("small.txt", 2, zlib.crc32(b"ok"))
    with (tmp_path / "large.zip").open("wb") as file:
        file.write(local_header(large))
        file.seek(large.size, os.SEEK_CUR)
        file.write(local_header(small) + b"ok" + directory([large, small]))
    with zipfile.ZipFile(tmp_path / "large.zip") as archive:
        assert archive.getinfo("large.mp4").file_size == 5 << 30
        assert archive.read("small.txt") == b"ok"
    with (tmp_path / "large.zip").open("rb") as file:
        assert read_header(file.read) == large
        file.seek(large.size, os.SEEK_CUR)
        assert read_header(file.read) == small


# --- the key ------------------------------------------------------------------------------------------------


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = signing_key(tmp_path)
    assert signing_key(tmp_path) == first
    assert stat.S_IMODE((tmp_path / SIGNING_KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [SIGNING_KEY_FILE]
    assert "PRIVATE" not in repr(first)


def test_of_many_who_make_it_at_once_all_have_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: signing_key(tmp_path).public.fingerprint, range(16)))
    assert len(made) == 1


@pytest.mark.parametrize("damage", [b"", b"nonsense", KEY.public.pem])
def test_a_key_that_cannot_be_read_is_never_replaced(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / SIGNING_KEY_FILE).write_bytes(damage)
    with pytest.raises(ConfigError):
        signing_key(tmp_path)
    assert (tmp_path / SIGNING_KEY_FILE).read_bytes() == damage


def test_a_key_that_others_may_read_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    signing_key(tmp_path)
    assert not caplog.text
    (tmp_path / SIGNING_KEY_FILE).chmod(0o644)
    signing_key(tmp_path)
    assert "may be read by others" in caplog.text
    assert "PRIVATE" not in caplog.text


def test_a_fingerprint_is_known_however_it_is_typed() -> None:
    fingerprint = KEY.public.fingerprint
    assert as_fingerprint(grouped(fingerprint).upper()) == fingerprint
    assert as_fingerprint(":".join(fingerprint[at : at + 2] for at in range(0, 64, 2))) == fingerprint
    with pytest.raises(MalformedError):
        as_fingerprint(fingerprint[:-1])


def test_only_an_ed25519_key_is_one() -> None:
    assert PublicKey.read(KEY.public.pem) == KEY.public
    for pem in (b"", b"-----BEGIN PUBLIC KEY-----\n", KEY.public.pem[:60]):
        with pytest.raises(MalformedError):
            PublicKey.read(pem)
