"""A command asks the service beside it by TLS: it knows that by its certificate, and no other."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from aiohttp import web

from recordings.owner import claim
from tests.fakes.certificates import Authority
from web.access import Permission
from web.cli import main


@pytest.mark.parametrize(("own", "code"), [(True, 0), (False, 2)], ids=["its own", "another's"])
@pytest.mark.parametrize("named", [True, False], ids=["of the settings", "made"])
async def test_it_knows_it_by_its_certificate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], own: bool, code: int, named: bool
) -> None:
    data, config = tmp_path / "data", tmp_path / "lagebild.toml"
    (data / "tls").mkdir(parents=True)
    authority = Authority(tmp_path)  # that nobody here knows
    (certificate, key), (other, _) = authority.issue("elw.example"), authority.issue("other.example")
    known = certificate if own else other
    (data / "tls" / "certificate.pem").write_bytes(known.read_bytes())
    said = f"[tls]\ncertificate = '{known}'\nkey = '{key}'\n" if named else ""
    config.write_text(f"[server]\ndata_dir = 'data'\n{said}")

    async def me(_: web.Request) -> web.Response:
        return web.json_response({"permissions": list(Permission)})

    async def flights(_: web.Request) -> web.Response:
        return web.json_response({"flights": []})

    app = web.Application()
    app.router.add_get("/api/v1/me", me)
    app.router.add_get("/api/v1/flights", flights)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    with claim(data, "lagebild serve") as held:
        held.tell(f"https://127.0.0.1:{port}/")
        assert await asyncio.to_thread(main, ["flights", "list", "--config", str(config)]) == code
    await runner.cleanup()
    told = capsys.readouterr()
    assert told.out == ("lagebild: no flights\n" if own else "")
    assert ("does not answer" in told.err) is not own
