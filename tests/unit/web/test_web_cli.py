"""The command line: what is wrong is one line on standard error."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from web.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve", "--port", "99999"], "command line: server.port is 0 to 65535, not 99999"),
        (["serve", "--webrtc-port", "-1"], "command line: webrtc.port is 0 to 65535, not -1"),
        (["serve", "--config", "nowhere.toml"], "nowhere.toml: no such file"),
        (["replay", "--video", "nowhere.mp4"], "replay: nowhere.mp4: no such file"),
    ],
)
def test_a_wrong_word_is_told(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"lagebild: {said}" + (
        "; start from config.example.toml\n" if "toml" in said else "\n"
    )


def test_the_demo_says_which_port_is_taken_and_which_setting_names_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = str(other.getsockname()[1])
        assert main(["demo", "--port", "0", "--webrtc-port", port]) == 2
    told = capsys.readouterr()
    assert "Lagebild is running" not in told.out
    (line,) = told.err.splitlines()
    assert line.startswith("lagebild: relay: ")
    assert f":{port} is in use by another program; webrtc.port" in line


async def test_what_settings_it_has_is_told_once_it_runs(tmp_path: Path) -> None:
    config = tmp_path / "good.toml"
    config.write_text("[server]\nport = 0\n[webrtc]\nport = 0\n")
    lines = await _said_until("no aircraft is configured", config)
    running = next(at for at, line in enumerate(lines) if "Lagebild is running" in line)
    assert [at for at, line in enumerate(lines) if f"settings: {config}" in line] == [len(lines) - 2]
    assert running < len(lines) - 2


async def test_the_first_administrator_s_link_is_printed_where_others_can_come(tmp_path: Path) -> None:
    config = tmp_path / "good.toml"
    config.write_text("[server]\nport = 0\n[webrtc]\nport = 0\n[access]\nthis_machine = false\n")
    lines = await _said_until("/welcome#", config)
    assert [line for line in lines if "There is no administrator yet" in line]
    assert lines[-1].strip().startswith("http://127.0.0.1:")


async def _said_until(text: str, config: Path) -> list[str]:
    """What `lagebild serve` prints, up to the line with this in it; then it is ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "web", "serve", "--config", str(config),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    lines = list[str]()
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while not lines or text not in lines[-1]:
                line = await process.stdout.readline()
                assert line, lines
                lines.append(line.decode())
            process.terminate()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return lines


def test_the_demo_does_not_fly_into_a_configured_aircraft(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "lagebild.toml"
    config.write_text("[[aircraft]]\nid = 'fritz'\nmavlink = 'udpin:127.0.0.1:14550'\n")
    assert main(["demo", "--config", str(config)]) == 2
    assert "aircraft 'fritz' is there already" in capsys.readouterr().err
