"""`lagebild account …` and `lagebild token …`: beside a running service, and without one."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.fakes.accounts import PASSWORD, make_account
from web.access import Role
from web.access.store import FILE
from web.cli import main
from web.service import running_service
from web.settings import AccessSettings, ServerSettings, Settings, WebRtcSettings

Run = Callable[..., tuple[int, str, str]]

LOOK_EVERY_S = 0.05


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give a command; its exit code, and what it says."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_accounts_without_a_service(run: Run) -> None:
    assert run("account", "list") == (0, "lagebild: no accounts\n", "")
    assert not Path("data", FILE).exists()
    code, told, _ = run("account", "add", "Chef", "--name", "Petra Wolf", "--role", "administrator")
    assert code == 0
    assert "account 'chef' is made" in told
    first = told.split()[-1]
    assert first.startswith("http://127.0.0.1:8080/welcome#")
    again = run("account", "invite", "chef")[1].split()[-1]
    assert again.startswith("http://127.0.0.1:8080/welcome#")
    assert again != first
    assert run("account", "add", "chef", "--role", "pilot")[2].startswith("lagebild: there is an account")
    assert run("account", "add", "otto", "--role", "pilot", "--role", "viewer")[0] == 0
    code, told, _ = run("account", "list", "--json")
    accounts = {each["login"]: each for each in json.loads(told)["accounts"]}
    assert (accounts["chef"]["name"], accounts["chef"]["roles"]) == ("Petra Wolf", ["administrator"])
    assert accounts["otto"]["roles"] == ["pilot", "viewer"]
    lines = run("account", "list")[1].splitlines()
    assert lines[1].split() == ["chef", "Petra", "Wolf", "administrator", "0", "no", "password", "yet"]
    assert run("account", "roles", "otto", "dispatcher")[1] == "lagebild: 'otto' is dispatcher now\n"
    for last in (("disable", "chef"), ("remove", "chef"), ("roles", "chef", "pilot")):
        assert (
            run("account", *last)[2] == "lagebild: this is the last administrator; make another one first\n"
        )
    assert run("account", "disable", "nobody")[2] == (
        "lagebild: there is no account 'nobody'; there are: chef, otto\n"
    )
    assert run("account", "remove", "otto")[0] == 0
    assert "otto" not in run("account", "list")[1]


def test_tokens_without_a_service(run: Run) -> None:
    assert run("token", "list") == (0, "lagebild: no tokens\n", "")
    code, told, _ = run("token", "add", "Prometheus", "--kind", "metrics", "--days", "30")
    token = told.split()[-1]
    assert (code, token[:4]) == (0, "lbt_")
    assert token.encode() not in Path("data", FILE).read_bytes()
    (shown,) = json.loads(run("token", "list", "--json")[1])["tokens"]
    assert (shown["grants"], shown["by"], shown["expired"]) == (["operate"], "command line", False)
    assert run("token", "list")[1].splitlines()[1].split()[:4] == [
        shown["id"],
        "Prometheus",
        "metrics",
        "operate",
    ]
    refused = run("token", "add", "ELS", "--kind", "api", "--grant", "administer")
    assert (refused[0], refused[2][:42]) == (2, "lagebild: a token of kind 'api' may be giv")
    assert run("token", "withdraw", shown["id"])[0] == 0
    assert run("token", "withdraw", shown["id"])[2] == "lagebild: there is no such token\n"


@pytest.mark.parametrize(
    "arguments",
    [("account", "add", "wolf", "--role", "boss"), ("account", "add", "wolf"), ("token", "add", "x"),
     ("token", "add", "x", "--kind", "all"), ("token", "add", "x", "--kind", "api", "--days", "-1")],
)  # fmt: skip
def test_what_is_no_role_kind_or_time_is_refused(run: Run, arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        run(*arguments)


async def test_beside_a_running_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "data"
    make_account(root, "chef", Role.ADMINISTRATOR)
    config = tmp_path / "lagebild.toml"
    config.write_text("[server]\ndata_dir = 'data'\n")
    settings = Settings(
        server=ServerSettings(port=0, data_dir=str(root)),
        webrtc=WebRtcSettings(port=0),
        access=AccessSettings(this_machine=False),
    )

    async def run(*arguments: str) -> str:
        assert await asyncio.to_thread(main, [*arguments, "--config", str(config)]) == 0
        return capsys.readouterr().out

    async with (
        running_service(settings) as service,
        aiohttp.ClientSession(service.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as http,
    ):

        async def post(path: str, **body: str) -> int:
            async with http.post(path, json=body) as reply:
                return reply.status

        async def me() -> str:
            async with http.get("/api/v1/me") as reply:
                return str((await reply.json())["kind"])

        link = (await run("account", "add", "wolf", "--role", "pilot")).split()[-1]
        page, _, token = link.partition("#")
        assert page == f"{service.url}welcome"  # where it listens now
        async with asyncio.timeout(10):
            while await post("/api/v1/invited/look", token=token) != 200:
                await asyncio.sleep(LOOK_EVERY_S)
            assert await post("/api/v1/invited", token=token, password=PASSWORD) == 204
            assert await me() == "person"
            await run("account", "disable", "wolf")
            while await me() != "nobody":
                await asyncio.sleep(LOOK_EVERY_S)
            await run("account", "enable", "wolf")
            accounts = json.loads(await run("account", "list", "--json"))["accounts"]
            assert [each["disabled"] for each in accounts] == [False, False]
            token = (await run("token", "add", "ELS", "--kind", "api")).split()[-1]
            headers = {"Authorization": f"Bearer {token}"}
            while (await http.get("/api/v1/feeds", headers=headers)).status != 200:
                await asyncio.sleep(LOOK_EVERY_S)


async def test_the_audit_log_hears_of_it(run: Run, tmp_path: Path) -> None:
    """Of what was done, and by whom, without any secret; not of what was refused."""
    secrets = []
    for arguments in (
        ("account", "add", "chef", "--role", "administrator"),
        ("account", "invite", "chef"),
        ("account", "roles", "chef", "administrator", "pilot"),
        ("account", "disable", "chef"),  # refused: the last administrator
        ("account", "list"),
        ("token", "add", "ELS", "--kind", "api"),
    ):
        _, told, _ = await asyncio.to_thread(run, *arguments)
        secrets.append(told.split()[-1].rpartition("#")[2] if told else "")
    text = "".join(each.read_text() for each in (tmp_path / "data" / "audit").glob("*.jsonl"))
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(each["action"], each["about"]) for each in lines] == [
        ("made", "lagebild account add"),
        ("made", "lagebild account invite"),
        ("made", "lagebild account invite"),
        ("changed", "lagebild account"),
        ("made", "lagebild token add"),
    ]
    assert all("chef" in json.dumps(each["detail"]) for each in lines[:4])
    assert not any(secret in text for secret in (secrets[0], secrets[1], secrets[5]))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for somebody else")
@pytest.mark.parametrize("is_there", [True, False])
def test_what_root_makes_is_the_service_s(is_there: bool) -> None:
    """`sudo lagebild account add` must not lock out a service that runs as somebody else; it becomes him."""
    nobody, command = 65534, ["account", "add", "chef", "--role", "administrator"]
    with tempfile.TemporaryDirectory() as folder:  # pytest's own nobody else may enter
        home, data = Path(folder), Path(folder, "data")
        os.chown(home, nobody, nobody)
        home.chmod(0o755)
        if is_there:
            data.mkdir()
            os.chown(data, nobody, nobody)
        (home / "lagebild.toml").write_text("[server]\ndata_dir = 'data'\n")
        subprocess.run(
            [sys.executable, "-m", "web", *command, "--config", home / "lagebild.toml"], check=True
        )
        assert {each.stat().st_uid for each in (data, *data.rglob("*"))} == {nobody}
        assert (data / FILE).stat().st_mode & 0o777 == 0o600
