"""Digest against the examples of the RFCs, and when another try is worth it."""

from __future__ import annotations

import re

import pytest

from ingest.protocol.rtsp_auth import Authenticator, Challenge, Credentials, basic, digest, parse_challenges

SHA_256 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
MD5 = SHA_256.replace("SHA-256", "MD5")
RFC_2617 = (
    'Digest realm="testrealm@host.com", qop="auth,auth-int", '
    'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
CAMERA = 'Digest realm="IP Camera", nonce="n1"'
PASSWORD = "Circle of Life"
MUFASA = Credentials("Mufasa", PASSWORD)


def told(header: str) -> dict[str, str]:
    """The parameters of an Authorization field."""
    assert header.startswith("Digest ")
    return {
        name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([\w-]+))', header)
    }


def answered(challenge: str, cnonce: str, password: str = PASSWORD) -> dict[str, str]:
    (parsed,) = parse_challenges([challenge])
    return told(digest(Credentials("Mufasa", password), parsed, "GET", "/dir/index.html", cnonce, count=1))


@pytest.mark.parametrize(
    ("challenge", "response"),
    [
        (MD5, "8ca523f5e9506fed4657c9700eebdbec"),
        (SHA_256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616_3_9_1(challenge: str, response: str) -> None:
    fields = answered(challenge, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    assert fields["response"] == response
    assert fields["opaque"] == "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
    assert (fields["qop"], fields["nc"], fields["username"]) == ("auth", "00000001", "Mufasa")
    assert fields["uri"] == "/dir/index.html"


def test_the_example_of_rfc_2617_3_5() -> None:
    fields = answered(RFC_2617, "0a4f113b", "Circle Of Life")
    assert fields["response"] == "6629fae49393a05397450978507c4ef1"
    assert "algorithm" not in fields  # a server that names none may know none


def test_without_qop_it_is_as_in_rfc_2069() -> None:
    """The example of RFC 2069 2.4, as its errata have it."""
    challenge = RFC_2617.replace('qop="auth,auth-int", ', "")
    fields = answered(challenge, "unused", "CircleOfLife")
    assert fields["response"] == "1949323746fe6a43ef61f9606e7febea"
    assert not {"qop", "nc", "cnonce"} & fields.keys()


def test_basic_is_the_example_of_rfc_7617_2_and_utf_8() -> None:
    assert basic(Credentials("Aladdin", "open sesame")) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert basic(Credentials("test", "123\u00a3")) == "Basic dGVzdDoxMjPCow=="


def test_quotes_in_names_stay_inside() -> None:
    challenge = Challenge("digest", {"realm": 'a "b" \\', "nonce": "n"})
    header = digest(Credentials('u"x', "p"), challenge, "PLAY", "rtsp://h/", "c", count=1)
    assert r'username="u\"x"' in header
    assert r'realm="a \"b\" \\"' in header
    assert parse_challenges([header])[0].parameters["realm"] == 'a "b" \\'


@pytest.mark.parametrize(
    "offered",
    [
        ['Basic realm="r"', MD5, SHA_256],
        [SHA_256, MD5, 'Basic realm="r"'],
        [f'Basic realm="r", {MD5}, {SHA_256}'],
        ["NTLM, Negotiate abc==", SHA_256],
    ],
)
def test_the_strongest_is_answered(offered: list[str]) -> None:
    authenticator = Authenticator(MUFASA, "c")
    assert authenticator.authorization("PLAY", "rtsp://h/") == ""
    assert authenticator.challenged(offered, 1) == ""
    assert told(authenticator.authorization("PLAY", "rtsp://h/"))["algorithm"] == "SHA-256"


def test_digest_is_preferred_to_basic_and_basic_to_nothing() -> None:
    for offered, scheme in ((['Basic realm="r"', CAMERA], "Digest"), (['Basic realm="r"'], "Basic")):
        authenticator = Authenticator(MUFASA, "c")
        assert authenticator.challenged(offered, 1) == ""
        assert authenticator.authorization("PLAY", "rtsp://h/").split()[0] == scheme


@pytest.mark.parametrize(
    "offered",
    [
        [],
        ["NTLM"],
        ['Digest realm="r"'],
        ['Digest realm="r", nonce="n", algorithm=MD5-sess'],
        ['Digest realm="r", nonce="n", qop="auth-int"'],
        ['Digest realm="' + 5000 * "x" + '", nonce="n"'],
        ['=,=,"""\\'],
    ],
)
def test_what_cannot_be_answered_is_said(offered: list[str]) -> None:
    assert "other than Basic and Digest" in Authenticator(MUFASA, "c").challenged(offered, 1)


def test_a_refused_password_is_not_tried_again() -> None:
    for offered in ([CAMERA], ['Basic realm="r"']):
        authenticator = Authenticator(MUFASA, "c")
        assert authenticator.challenged(offered, 1) == ""
        assert "refuses the user or the password" in authenticator.challenged(offered, 2)
    # Neither is it where the server invents another nonce each time.
    authenticator = Authenticator(MUFASA, "c")
    assert authenticator.challenged([CAMERA], 1) == ""
    assert "refuses" in authenticator.challenged([CAMERA.replace("n1", "n2")], 2)


def test_a_stale_nonce_is_replaced_but_not_for_ever() -> None:
    authenticator = Authenticator(MUFASA, "c")
    assert authenticator.challenged([CAMERA], 1) == ""
    assert authenticator.challenged([CAMERA.replace("n1", "n2") + ", stale=TRUE"], 2) == ""
    assert told(authenticator.authorization("PLAY", "rtsp://h/"))["nonce"] == "n2"
    assert "refuses" in authenticator.challenged([CAMERA + ", stale=true"], 3)


def test_a_nonce_that_holds_for_one_request_is_replaced_where_the_password_was_right() -> None:
    authenticator = Authenticator(MUFASA, "c")
    assert authenticator.challenged([CAMERA], 1) == ""
    authenticator.accepted()
    assert authenticator.challenged([CAMERA.replace("n1", "n2")], 1) == ""
    assert told(authenticator.authorization("PLAY", "rtsp://h/"))["nonce"] == "n2"
    assert "refuses" in authenticator.challenged([CAMERA.replace("n1", "n2")], 2)


def test_the_count_of_a_nonce_rises_and_begins_anew_with_the_next() -> None:
    authenticator = Authenticator(MUFASA, "c")
    for nonce in ("a", "b"):
        challenge = f'Digest realm="r", nonce="{nonce}", qop="auth", stale=true'
        assert authenticator.challenged([challenge], 1) == ""
        counts = [told(authenticator.authorization("PLAY", "rtsp://h/"))["nc"] for _ in range(3)]
        assert counts == ["00000001", "00000002", "00000003"]


def test_without_a_user_nothing_is_sent() -> None:
    authenticator = Authenticator(None, "c")
    assert "wants a user and a password" in authenticator.challenged([CAMERA], 1)
    assert authenticator.authorization("PLAY", "rtsp://h/") == ""


def test_no_password_is_printed() -> None:
    assert "Circle" not in repr(MUFASA)
