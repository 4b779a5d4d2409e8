"""The REST API under /api of the app, where it is switched on."""

import json
import urllib.error
import urllib.request

from support.app import App


def test_the_app_serves_the_api_where_it_is_switched_on(tmp_path, monkeypatch):
    monkeypatch.setenv("SPEAKERID_API", "1")
    with App(tmp_path) as app:
        request = urllib.request.Request(f"{app.url}/api/v1/health")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                told = json.load(answer)
                assert told["people"] == 0
        except urllib.error.HTTPError as error:  # it listens for others too, so a key is needed
            assert error.code == 401 and "keys --add" in json.load(error)["error"]
        with urllib.request.urlopen(f"{app.url}/api/docs", timeout=10) as answer:
            page = answer.read().decode()
        assert '"/api/openapi.json"' in page or "'/api/openapi.json'" in page
        with urllib.request.urlopen(
            f"{app.url}/api/static-offline-docs/swagger-ui.css", timeout=10
        ) as answer:
            assert answer.status == 200
        request = urllib.request.Request(f"{app.url}/api/v1/health", headers={"Origin": "http://["})
        try:
            urllib.request.urlopen(request, timeout=10)
            raise AssertionError("let in")
        except urllib.error.HTTPError as error:
            assert error.code in (401, 403)
