"""Who may do what: roles from the login, the warning without one, and refusals in what acts."""

from pathlib import Path

import pytest
from dashboard.pages import open_page, said
from gallery.people import voiceprint
from streamlit import config
from streamlit.testing.v1 import AppTest

from speakerid.dashboard.shared import access
from speakerid.gallery import Gallery
from speakerid.gallery.opening import open_store

AUTH = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "a long and secret text for tests only",
    "client_id": "speakerid",
    "client_secret": "secret",
    "server_metadata_url": "http://127.0.0.1:9/.well-known/openid-configuration",
}
ROLES = {"admin": ["Ada@Example.org"], "operator": ["ben@example.org"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "voiceprints"
    made.mkdir()
    open_store(made).put(voiceprint("Zoë Visible", 1))
    return made


@pytest.fixture
def visit(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """`visit(page, email=None, **claims)`: a page with the login configured; None is not logged in."""

    def visit(page: str, email: str | None = None, roles: object = ROLES, **claims: object) -> AppTest:
        app = open_page("", folder, monkeypatch)
        app.secrets["auth"] = AUTH
        app.secrets["roles"] = roles
        app.user = {"is_logged_in": email is not None, **({"email": email} if email else {}), **claims}
        return (app.switch_page(f"pages/{page}") if page else app).run()

    return visit


def call(action, *, secrets: dict, user: dict) -> str:
    """What a function answers within a page's run; of an AccessRefused its sentence."""
    app = AppTest.from_function(_call)
    for name, value in secrets.items():
        app.secrets[name] = value
    app.user = user
    app.session_state["action"] = action
    app.run()
    assert not app.exception, app.exception
    return app.text[0].value


def _call():
    import streamlit as st

    from speakerid.dashboard.shared.access import AccessRefused

    try:
        st.text(str(st.session_state["action"]()))
    except AccessRefused as refused:
        st.text(f"refused: {refused}")


def role_of(email: str, roles: dict | None = None, **claims: object) -> str:
    secrets = {"auth": AUTH, "roles": ROLES if roles is None else roles}
    user = {"is_logged_in": True, "email": email, **claims}
    return call(lambda: access.visitor().role, secrets=secrets, user=user)


@pytest.mark.parametrize(
    ("email", "role"),
    [
        ("ada@example.org", "admin"),
        ("BEN@example.org", "operator"),
        ("somebody@example.org", "viewer"),
        ("", "viewer"),
    ],
)
def test_the_role_comes_by_email(email: str, role: str):
    assert role_of(email) == role


def test_an_address_that_the_provider_did_not_check_gives_no_role():
    assert role_of("ada@example.org", email_verified=False) == "viewer"
    assert role_of("ada@example.org", email_verified=True) == "admin"


def test_somebody_listed_twice_has_the_higher_role():
    assert role_of("a@b.c", {"admin": ["a@b.c"], "operator": ["a@b.c"]}) == "admin"


@pytest.mark.parametrize(
    "roles", [{"admin": "ada@example.org"}, {"boss": ["ada@example.org"]}, {"admin": [1]}]
)
def test_roles_that_cannot_be_read_let_nobody_do_anything(roles: dict):
    assert "The roles cannot be read" in role_of("ada@example.org", roles)


def act(role: access.Role, what: str) -> str:
    with access.acting(role, what) as who:
        return f"done by {who.email}".strip()


@pytest.mark.parametrize(
    ("email", "role", "outcome"),
    [
        ("ada@example.org", "admin", "done by ada@example.org"),
        ("ben@example.org", "operator", "done by ben@example.org"),
        ("ben@example.org", "admin", "refused: You may not delete people: that takes an admin"),
        ("eve@example.org", "operator", "refused: You may not delete people: that takes an operator"),
    ],
)
def test_acting_needs_the_role(email: str, role: access.Role, outcome: str):
    user = {"is_logged_in": True, "email": email}
    secrets = {"auth": AUTH, "roles": ROLES}
    assert call(lambda: act(role, "delete people"), secrets=secrets, user=user).startswith(outcome)


def test_nobody_acts_without_logging_in():
    answer = call(lambda: act("viewer", "look"), secrets={"auth": AUTH}, user={"is_logged_in": False})
    assert answer.startswith("refused: You are not logged in")


def test_without_a_login_everything_is_allowed():
    assert call(lambda: act("admin", "delete people"), secrets={}, user={}) == "done by"


def test_a_viewer_whose_page_polls_may_not_correct_either(visit):
    app = visit("2_Live.py", "zoe@example.org")
    assert "refreshes twice a second" in said(app), "AppTest has no live channel"
    assert not app.session_state["live-session"].publisher._editing
    assert visit("2_Live.py", "ben@example.org").session_state["live-session"].publisher._editing


def test_the_servers_own_microphone_is_not_for_viewers(visit):
    """They may sit anywhere; the microphone hears the room of the server."""
    viewer = visit("2_Live.py", "zoe@example.org")
    viewer.session_state["live-source"] = "This computer's microphone"
    viewer.run()
    assert "is for operators" in said(viewer)
    assert not [box for box in viewer.selectbox if box.label == "Microphone"]


@pytest.mark.parametrize("page", ["", "1_Enroll.py", "2_Live.py", "3_Recordings.py", "4_Evaluate.py"])
def test_no_page_shows_anything_before_the_login(visit, page: str):
    app = visit(page)
    assert app.button(key="log-in-default")
    assert "Zoë" not in said(app)
    assert [button.key for button in app.button] == ["log-in-default"]


@pytest.mark.parametrize("page", ["1_Enroll.py", "3_Recordings.py", "4_Evaluate.py"])
def test_a_viewer_sees_the_live_page_only(visit, page: str):
    app = visit(page, "eve@example.org")
    assert "takes an operator" in app.error[0].value
    assert "Zoë" not in said(app)


def test_a_viewer_who_logs_in_is_led_to_the_live_page(visit):
    app = visit("", "eve@example.org")
    assert not app.exception
    assert not app.error
    assert "Who is speaking?" not in said(app)


def test_an_operator_sees_the_people(visit):
    assert "Zoë Visible" in said(visit("1_Enroll.py", "ben@example.org"))


@pytest.mark.parametrize(
    ("address", "url", "warned"),
    [
        ("127.0.0.1", "http://localhost:8501/", False),
        ("localhost", "http://127.0.0.1:8501/", False),
        ("0.0.0.0", "http://localhost:8501/", True),
        ("", "http://localhost:8501/", True),
        ("::1", "https://voices.example.org/", True),
        ("unix:///run/app.sock", "https://voices.example.org/", True),
    ],
)
def test_every_page_warns_where_others_can_open_it(folder, monkeypatch, address: str, url: str, warned: bool):
    monkeypatch.setattr(config, "get_option", _with(config.get_option, "server.address", address))
    app = open_page("", folder, monkeypatch)
    app.context = {"url": url}
    for page in ("1_Enroll.py", "2_Live.py", "3_Recordings.py", "4_Evaluate.py"):
        app = app.switch_page(f"pages/{page}").run()
        assert any("Everybody on the network" in warning.value for warning in app.warning) == warned


def _with(get_option, name: str, value: object):
    return lambda key: value if key == name else get_option(key)


def test_a_secrets_file_that_cannot_be_read_lets_nobody_in(folder, tmp_path, monkeypatch):
    broken = tmp_path / "secrets.toml"
    broken.write_text("[auth\nclient_id = ")
    monkeypatch.setattr(config, "get_option", _with(config.get_option, "secrets.files", [str(broken)]))
    app = open_page("1_Enroll.py", folder, monkeypatch)
    assert "cannot be read" in app.error[0].value
    assert "Zoë" not in said(app)
    assert len(Gallery.open(folder).speakers()) == 1
