"""The doctor asks a real Redis, and shows no password."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.fakes.redis_server import RedisServer
from web import doctor_redis
from web.cli import main
from web.doctor_redis import check_redis
from web.doctor_report import Level

SECRET = "geheim47"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


def test_where_none_is_used_none_is_needed() -> None:
    found = check_redis("")
    assert (found.level, "not needed" in found.what) == (Level.OK, True)


def test_one_that_answers_is_well(server: RedisServer) -> None:
    found = check_redis(server.url)
    assert found.level is Level.OK
    assert found.what.startswith(f"{server.url}: Redis ")
    assert found.what.endswith(" answers")


def test_one_that_wants_a_password(server: RedisServer) -> None:
    tell(server, f"CONFIG SET requirepass {SECRET}")
    try:
        right = check_redis(f"{server.url}?password={SECRET}")
        wrong = check_redis(f"{server.url}?password={SECRET}x")
        none = check_redis(server.url)
    finally:
        tell(server, f"AUTH {SECRET}\r\nCONFIG SET requirepass ''")
    assert right.level is Level.OK
    for found in (wrong, none):
        assert (found.level, "give the password" in found.todo) == (Level.FAIL, True)
    assert not any(SECRET in str(found) for found in (right, wrong, none))


def test_one_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = check_redis(f"redis://user:{SECRET}@127.0.0.1:{port}/0")
    assert (found.level, "start redis-server" in found.todo) == (Level.FAIL, True)
    assert f"redis://127.0.0.1:{port}/0: " in found.what
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    "url", [f"http://x:{SECRET}@127.0.0.1", f"redis://:ge/{SECRET}@x", f"redis://x:{SECRET}"]
)
def test_what_is_no_address_is_not_repeated_with_its_secrets(url: str) -> None:
    found = check_redis(url)
    assert (found.level, "is no address" in found.what) == (Level.FAIL, True)
    if "@" in url:
        assert SECRET not in str(found)


def test_one_without_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    async def old(_: str) -> str:
        return "4.0.14"

    monkeypatch.setattr(doctor_redis, "version_of", old)
    found = check_redis("redis://127.0.0.1")
    assert (found.level, found.todo) == (Level.FAIL, "install Redis 5 or newer")


def test_the_command_says_it(server: RedisServer, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--redis", server.url])
    assert f"ok    redis    {server.url}: Redis " in capsys.readouterr().out
    main(["doctor"])
    assert "ok    redis    not needed" in capsys.readouterr().out


def tell(server: RedisServer, commands: str) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(server.url.removeprefix("unix://"))
        connection.sendall(f"{commands}\r\n".encode())
        answer = b""
        while answer.count(b"\r\n") < 1 + commands.count("\r\n"):
            answer += connection.recv(4096)
        assert answer.endswith(b"+OK\r\n"), answer
