"""Which Pion the set-up script builds: the fakes are Go, apt and dpkg, the script and its source are real."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bench.peers import MissingPeerError
from tests.bench.peers.whep import pion_version

ROOT = Path(__file__).parents[3]
LINKED = ("bash", "sh", "cat", "chmod", "dirname", "env", "ls", "mkdir", "rm", "sed", "tail", "timeout")
ABSOLUTE = ("/usr/local/go", "/usr/lib/go", "/usr/share/gocode")

# Builds a "relay" that says what the linker was told, and by which Go.
GO = """\
case $1 in
  version) echo go version fake ;;
  list) echo v4.0.1 ;;
  build) printf '#!/bin/sh\\necho '"'"'%s'"'"'\\n' "{name} $GO111MODULE$(echo "$2" | sed "s/'//g")" >"$4"
         chmod +x "$4" ;;
esac
"""
NO_GO = "case $1 in version) ;; *) echo 'go: the proxy does not answer' >&2; exit 1 ;; esac\n"
DPKG = "case $* in *Status*) printf 'installed installed ' ;; *) printf 3.1.56-2 ;; esac\n"


class Sandbox:
    """A tree with the script and the relay's source, and a machine of nothing but LINKED and `janus`."""

    def __init__(self, root: Path) -> None:
        self.root, self.relay = root, root / "build/bench/pion-relay"
        shutil.copytree(ROOT / "tests/bench/peers/pion", root / "tests/bench/peers/pion")
        script = (ROOT / "scripts/bench-relay-setup").read_text(encoding="utf-8")
        for folder in ABSOLUTE:
            assert folder in script
            script = script.replace(folder, f"{root}{folder}")
        (root / "setup").mkdir()
        (root / "setup/bench-relay-setup").write_text(script, encoding="utf-8")
        for tool in LINKED:
            self.program(f"bin/{tool}", f'exec {shutil.which(tool)} "$@"\n')
        self.program("bin/janus", "")
        self.program(".venv/bin/python", "")

    def program(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        file.chmod(0o755)

    def debian(self) -> None:
        """apt-get installs what dpkg-query then knows."""
        self.program("bin/id", "echo 0\n")
        here = self.root
        self.program("bin/apt-get", f'case "$*" in *-dev*) echo "$*" >{here}/installed ;; esac\n')
        self.program("bin/dpkg-query", f"[ -e {here}/installed ] && {DPKG}")
        self.program("usr/lib/go/bin/go", GO.format(name="debian"))

    def set_up(self) -> list[str]:
        """Run the script; what it says of Pion, line by line."""
        run = subprocess.run(
            [shutil.which("bash") or "bash", self.root / "setup/bench-relay-setup"],
            env={"PATH": str(self.root / "bin")}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [line for line in run.stderr.splitlines() if "Pion" in line]


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)


def test_the_machines_go_with_modules_comes_first(sandbox: Sandbox) -> None:
    sandbox.debian()
    sandbox.program("bin/go", GO.format(name="own"))
    sandbox.set_up()
    said = pion_version(sandbox.relay)
    assert said == 'own -ldflags=-X "main.version=v4.0.1" -X "main.origin=Go modules"'
    assert not (sandbox.root / "installed").exists()


@pytest.mark.parametrize("go", [None, NO_GO], ids=["no Go", "no modules"])
def test_otherwise_debians_pion_is_built_of_the_same_source(sandbox: Sandbox, go: str | None) -> None:
    sandbox.debian()
    if go:
        sandbox.program("bin/go", go)
    lines = sandbox.set_up()
    assert pion_version(sandbox.relay).startswith('debian off-ldflags=-X "main.version=v3.1.56"')
    assert "golang-go golang-github-pion-webrtc.v3-dev" in (sandbox.root / "installed").read_text()
    assert ("the proxy does not answer" if go else "there is no Go") in lines[-1]
    ours = (sandbox.root / "tests/bench/peers/pion/main.go").read_text(encoding="utf-8").splitlines()
    theirs = (sandbox.root / "build/bench/pion-debian/src/pion-relay/main.go").read_text(encoding="utf-8")
    assert [line.strip() for line in theirs.splitlines() if line not in ours] == [
        '"github.com/pion/dtls/v2"',
        '"github.com/pion/webrtc/v3"',
    ]


def test_where_neither_can_be_had_one_line_says_so_and_nothing_old_is_measured(sandbox: Sandbox) -> None:
    sandbox.program("build/bench/pion-relay", "echo old\n")
    (sandbox.root / "tests/bench/peers/pion/go.sum").touch()
    missing = [line for line in sandbox.set_up() if "missing" in line]
    assert len(missing) == 1
    assert "there is no Go on this machine; this is no Debian" in missing[0]
    with pytest.raises(MissingPeerError, match="is not built"):
        pion_version(sandbox.relay)


def test_a_relay_that_is_there_is_left_alone(sandbox: Sandbox) -> None:
    sandbox.program("bin/go", GO.format(name="own"))
    sandbox.set_up()
    sandbox.program("bin/go", NO_GO)
    assert sandbox.set_up() == []
    assert pion_version(sandbox.relay).startswith("own")


def test_a_relay_that_does_not_say_its_version_is_not_measured(sandbox: Sandbox) -> None:
    sandbox.program("build/bench/pion-relay", "exit 2\n")
    with pytest.raises(MissingPeerError, match="does not say its version"):
        pion_version(sandbox.relay)
