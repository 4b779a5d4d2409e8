"""Who is let in, and that nobody sees a traceback or a log the name of somebody enrolled."""

import logging

import pytest
from served import serving
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from speakerid import cli
from speakerid.rest.refusals import UNEXPECTED
from speakerid.rest.service import Service

TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def locked(pair, encoder):
    """A server that other computers can reach, with a token."""
    with serving(Service(pair, encoder), TOKEN, local=False) as served:
        yield served


def test_every_endpoint_takes_the_token(locked):
    document = locked("GET", "/openapi.json").json  # how to ask is no secret
    endpoints = [(method.upper(), path) for path, one in document["paths"].items() for method in one]
    assert len(endpoints) >= 13
    for method, path in [*endpoints, ("GET", "/nowhere"), ("GET", "/static-offline-docs/../v1/health")]:
        path = path.replace("{name}", "Alice").replace("{id}", "x")
        answer = locked(method, path)
        assert answer.status == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
    with pytest.raises(InvalidStatus) as refused, connect(f"ws://{locked.host}/v1/listen"):
        pass
    assert refused.value.response.status_code == 401
    assert "SPEAKERID_API_TOKEN" in (refused.value.response.body or b"").decode()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN}", 200),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
        ("Bearer", 401),
        ("Bearer \xe4\xe4", 401),
    ],
)
def test_only_the_very_token_opens(locked, header, status):
    assert locked("GET", "/v1/health", Authorization=header).status == status


def test_a_websocket_is_opened_with_the_token(locked):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with connect(f"ws://{locked.host}/v1/listen", additional_headers=headers):
        pass


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Host", "voices.example.org", 403),  # a site that has its name lead here
        ("Host", "127.0.0.1.example.org:80", 403),
        ("Host", "localhost:1", 200),
        ("Host", "[::1]:8600", 200),
        ("Host", "[::1", 403),
        ("Origin", "https://voices.example.org", 403),
        ("Origin", "null", 403),
        ("Origin", "http://[", 403),  # no address at all
        ("Origin", "http://localhost:1", 403),  # another server of this computer
    ],
)
def test_pages_of_other_sites_are_kept_out(api, header, value, status):
    answer = api("GET", "/v1/health", **{header: value})
    assert answer.status == status and (status == 200 or answer.error)


def test_a_page_of_its_own_may_ask(api):
    answer = api("GET", "/v1/health", Origin=f"http://{api.host}")
    assert answer.status == 200 and "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_websocket_of_another_site_is_kept_out(api):
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://{api.host}/v1/listen", origin="http://evil.example"),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_what_should_not_happen_is_logged_without_names_and_told_without_details(api, monkeypatch, caplog):
    name = "".join(["Ali", "ce"])  # so that the code itself does not hold it

    def broken():
        try:
            raise KeyError(name)
        except KeyError as error:
            raise RuntimeError(f"no voice of {name}") from error

    monkeypatch.setattr(api.service.gallery, "speakers", broken)
    with caplog.at_level(logging.DEBUG):
        answer = api("DELETE", f"/v1/speakers/{name}")
    assert (answer.status, answer.json) == (500, {"error": UNEXPECTED})
    assert "RuntimeError" in caplog.text and "KeyError" in caplog.text and "in broken" in caplog.text
    assert name not in caplog.text


def test_the_beginning_tells_of_every_endpoint(api):
    told = api("GET", "/").json["endpoints"]
    document = api("GET", "/openapi.json").json["paths"]
    there = {f"{method.upper()} {path}" for path, one in document.items() for method in one} - {"GET /"}
    assert there | {"WebSocket /v1/listen"} == set(told)
    answer = api("GET", "/v2")
    assert answer.status == 404 and "GET /" in answer.error


@pytest.mark.parametrize(
    ("host", "token", "says"),
    [
        ("0.0.0.0", "", "keys --add NAME"),
        ("::", "  ", "keys --add NAME"),
        ("", "", "keys --add NAME"),
        ("127.0.0.1", "short", "too short"),
        ("192.0.2.1", TOKEN, "cannot be listened at"),  # no address of any computer
    ],
)
def test_it_does_not_start_where_that_would_be_unsafe_or_cannot_be(monkeypatch, capsys, host, token, says):
    monkeypatch.setenv("SPEAKERID_API_TOKEN", token)
    assert cli.main(["serve", "--host", host, "--port", "0"]) == 1
    told = capsys.readouterr()
    assert told.out == "" and len(told.err.splitlines()) == 1 and says in told.err
