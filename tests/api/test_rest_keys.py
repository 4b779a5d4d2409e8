"""Keys: made and revoked on the command line, roles, rates, and who did it in the audit log."""

import json

import pytest
from served import Api, recordings
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from speakerid import cli
from speakerid.gallery import Gallery
from speakerid.gallery.keys import Keys
from speakerid.rest import access


@pytest.fixture
def key(empty, capsys):
    """`key(role)`: the headers of a new key, made on the command line."""

    def made(role: str) -> dict[str, str]:
        folder = str(empty.folder)
        assert (
            cli.main(["keys", "--add", f"my {role}", "--role", role, "--voiceprints", folder, "--json"]) == 0
        )
        return {"Authorization": f"Bearer {json.loads(capsys.readouterr().out)['key']}"}

    return made


def test_each_role_may_do_what_the_pages_let_it(empty: Api, key):
    admin, operator, viewer = key("admin"), key("operator"), key("viewer")
    assert empty("GET", "/v1/health").status == 401  # there are keys now
    empty.headers = viewer
    assert empty("GET", "/v1/health").status == 200
    answer = empty("GET", "/v1/speakers")
    assert answer.status == 403 and "role operator" in answer.error
    with connect(f"ws://{empty.host}/v1/listen", additional_headers=viewer):
        pass
    with pytest.raises(InvalidStatus), connect(f"ws://{empty.host}/v1/listen"):
        pass
    empty.headers = operator
    assert empty.form("/v1/speakers/Ada", recordings("Alice")[0], consent="true").status == 200
    assert empty("DELETE", "/v1/speakers/Ada").status == 403
    empty.headers = admin
    assert empty("DELETE", "/v1/speakers/Ada").status == 200
    log = empty.service.gallery.audit()
    assert [line["who"] for line in log] == ["api:my operator", "api:my admin"]


def test_a_key_is_stored_as_a_hash_and_worthless_once_revoked(empty: Api, key, capsys):
    first, _ = key("admin"), key("viewer")
    secret = first["Authorization"].split()[1]
    files = [path for path in empty.folder.iterdir() if path.is_file()]
    assert len(Keys(empty.service.gallery.store).all()) == 2 and files
    for path in files:
        assert secret.encode() not in path.read_bytes() and path.stat().st_mode & 0o77 == 0
    assert empty("GET", "/v1/health", **first).status == 200
    assert cli.main(["keys", "--revoke", "my admin", "--voiceprints", str(empty.folder)]) == 0
    assert empty("GET", "/v1/health", **first).status == 401
    assert cli.main(["keys", "--revoke", "my admin", "--voiceprints", str(empty.folder)]) == 1
    assert 'No key is called "my admin"' in capsys.readouterr().err
    assert cli.main(["keys", "--voiceprints", str(empty.folder)]) == 0
    assert "my viewer  (viewer" in capsys.readouterr().out


def test_a_key_has_a_rate_and_headers_tell_it(empty: Api, key, monkeypatch):
    monkeypatch.setitem(access.REQUESTS_A_MINUTE, "viewer", 3)
    empty.headers = key("viewer")
    answers = [empty("GET", "/v1/health") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["RateLimit-Limit"] == "3" and int(answers[3].headers["Retry-After"]) > 0
    assert "3 requests a minute" in answers[3].error


def test_a_server_whose_keys_cannot_be_read_lets_nobody_in(tmp_path, capsys):
    gallery = Gallery.open(tmp_path / "voiceprints", "")
    Keys(gallery.store).add("reporting", "viewer")
    gallery.close()
    (tmp_path / "voiceprints" / "voiceprints.sqlite").write_bytes(b"no database" * 1000)
    assert cli.main(["serve", "--port", "0", "--voiceprints", str(tmp_path / "voiceprints")]) == 1
    assert "damaged" in capsys.readouterr().err


def test_a_pages_websocket_brings_its_key_as_a_subprotocol(empty: Api, key):
    secret = key("viewer")["Authorization"].split()[1]
    with connect(f"ws://{empty.host}/v1/listen", subprotocols=["speakerid", f"key.{secret}"]) as socket:
        assert socket.subprotocol == "speakerid"  # the key is not sent back
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://{empty.host}/v1/listen", subprotocols=["speakerid", "key.spk_wrong"]),
    ):
        pass
    assert refused.value.response.status_code == 401


def test_how_much_a_request_may_bring_is_told_and_held_to(empty: Api, key, monkeypatch):
    empty.headers = key("operator")
    answer = empty("GET", "/v1/health")
    assert answer.headers["Upload-Limit"] == f"max-size={access.BYTES_A_REQUEST['operator']}"
    monkeypatch.setitem(access.BYTES_A_REQUEST, "operator", 1000)
    answer = empty("POST", "/v1/identify", bytes(1001))
    assert answer.status == 413 and answer.headers["Upload-Limit"] == "max-size=1000"
