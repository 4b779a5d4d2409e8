"""Who may do what.

Without a login, whoever reaches the app may do everything: right for one's own computer, where the server
listens by default, and warned of on every page where it can be reached from others. With Streamlit's login
(`[auth]` in `.streamlit/secrets.toml`, see `st.login`) a role is needed, given by e-mail address beside it:

    [roles]
    admin = ["ada@example.org"]        # also deletes, merges, exports and imports people, sets the passphrase
    operator = ["ben@example.org"]     # also enrolls, corrects, analyzes recordings
    # whoever else logs in is a viewer, who sees the Live page

A locked folder (see `unlocking`) is opened by an operator or an admin.

`page` stands at the top of every page, in `widgets.page`; `acting` around everything that changes or hands
out voiceprints, so that a hidden button is not what protects them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from streamlit import config
from streamlit.errors import Error as StreamlitError
from streamlit.errors import StreamlitSecretNotFoundError

from speakerid.dashboard.shared import unlocking
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError
from speakerid.gallery.audit import acting_as
from speakerid.hosts import this_computer
from speakerid.roles import ROLES, Role

_PAGES: dict[str, Role] = {"Live": "viewer"}  # by name; every other page needs an operator
_ARTICLE = {"viewer": "a viewer", "operator": "an operator", "admin": "an admin"}
_SECRETS = ".streamlit/secrets.toml"


class AccessRefused(SpeakerIdError):
    """The visitor may not do this, or is not logged in."""


@dataclass(frozen=True)
class Visitor:
    """Who uses the page.

    Attributes:
        email: as the login gives it; "" where there is no login.
        role: what they may do.
    """

    email: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether they may do what needs this role."""
        return ROLES.index(self.role) >= ROLES.index(role)


def login_configured() -> bool:
    """Whether people log in.

    Raises:
        AccessRefused: the file that would say so cannot be read; nobody is let in then.
    """
    return _secrets("auth") is not None


def visitor() -> Visitor:
    """Who uses the page that runs now.

    Raises:
        AccessRefused: not logged in, or the roles cannot be read.
    """
    if not login_configured():
        return Visitor("", "admin")
    about: Mapping[str, Any] = st.user.to_dict()
    if not about.get("is_logged_in"):
        raise AccessRefused("You are not logged in: reload the page and log in.")
    email = str(about.get("email") or "").strip()
    # An address that the provider has not checked might be anybody's.
    known = "" if about.get("email_verified") is False else email.casefold()
    return Visitor(email, _roles().get(known, "viewer"))


def may(role: Role) -> bool:
    """Whether the visitor may do what needs this role; for what a page shows."""
    try:
        return visitor().may(role)
    except AccessRefused:
        return False


@contextmanager
def acting(role: Role, what: str) -> Iterator[Visitor]:
    """Do something that needs a role; the audit log names the visitor as the one who did it.

    Args:
        what: as in "You may not …": "delete people".

    Raises:
        AccessRefused: the visitor has not that role; nothing was done.
    """
    who = visitor()
    if not who.may(role):
        raise AccessRefused(
            f"You may not {what}: that takes {_ARTICLE[role]} and you are {_ARTICLE[who.role]}; "
            "ask whoever runs this app."
        )
    with acting_as(who.email) if who.email else nullcontext():
        yield who


def reachable_by_others() -> bool:
    """Whether other computers can open the app: by the address it listens at, or by how this page was
    opened (a proxy on this computer may pass it on)."""
    listens_at = config.get_option("server.address") or ""
    opened_as = urlsplit(st.context.url or "").hostname
    if listens_at.startswith("unix:"):  # only a proxy can reach it
        listens_at = "localhost"
    return not this_computer(listens_at) or not (opened_as is None or this_computer(opened_as))


def for_this_computer() -> bool:
    """Whether the app has no login and listens on this computer only: the API then needs no key either."""
    return not login_configured() and this_computer(config.get_option("server.address") or "")


def page(name: str) -> None:
    """Let a visitor in to a page, or end the run with what they can do about it.

    Shows the warning where everybody on the network may do everything, and asks for the passphrase of the
    voiceprints where they are locked.

    Args:
        name: as `widgets.page` takes it.
    """
    try:
        if not login_configured():
            if reachable_by_others():
                st.warning(_UNPROTECTED, icon=":material/lock_open:")
            unlocking.ask(allowed=True)
            return
        if not st.user.to_dict().get("is_logged_in"):
            _login()
            st.stop()
        who = visitor()
    except AccessRefused as refused:
        st.error(escaped(refused), icon=":material/lock:")
        st.stop()
    if not who.may(_PAGES.get(name, "operator")):
        if name == "Home":  # where a login leads
            st.switch_page("pages/2_Live.py")
        st.error(
            f"The page {name} takes an operator, and {escaped(who.email) or 'your account'} is a viewer: "
            f"open the Live page, or ask whoever runs this app for another role.",
            icon=":material/lock:",
        )
        st.stop()
    unlocking.ask(allowed=who.may("operator"))


def may_open(name: str) -> bool:
    """Whether the visitor may open this page; for the navigation."""
    return may(_PAGES.get(name, "operator"))


def account() -> None:
    """Who is logged in, and the way out; nothing where there is no login."""
    try:
        if not login_configured() or not st.user.to_dict().get("is_logged_in"):
            return
        who = visitor()
    except AccessRefused:
        return
    with st.popover(":material/account_circle:", type="tertiary", help=who.email or "Your account"):
        st.caption(f"{escaped(who.email) or 'Logged in'} · {who.role}")
        st.button("Log out", key="log-out", on_click=st.logout, width="stretch")


_UNPROTECTED = (
    "Everybody on the network who opens this page can listen, enroll and delete people here, because no "
    "login is set up: set one up (README, “Opening it to other computers”), or start the app with "
    "`--server.address 127.0.0.1` for this computer alone."
)


def _login() -> None:
    """The buttons to log in with, one a provider."""
    section = _secrets("auth") or {}
    names = [name for name, value in section.items() if isinstance(value, Mapping) and "client_id" in value]
    with st.container(key="card-login", width=460):
        st.subheader("Log in", anchor=False)
        st.write("Voices are personal, so this app asks who you are before it shows anything.")
        for name in names or [None]:
            with_whom = f" with {name.capitalize()}" if name and name != "default" else ""
            label = f"Log in{with_whom}"
            if st.button(label, key=f"log-in-{name or 'default'}", type="primary", icon=":material/login:"):
                try:
                    st.login(name)
                except StreamlitError as error:  # Authlib or a key of [auth] is missing
                    st.error(f"Nobody can log in yet: {' '.join(str(error).split())}")


def _roles() -> dict[str, Role]:
    """Roles by e-mail address in lower case; the highest where somebody is listed twice."""
    listed = _secrets("roles") or {}
    found: dict[str, Role] = {}
    for role in ROLES:
        addresses = listed.get(role, [])
        if isinstance(addresses, str) or not all(isinstance(one, str) for one in addresses):
            raise AccessRefused(
                f'The roles cannot be read: in {_SECRETS}, write {role} = ["somebody@example.org"] '
                "below [roles]."
            )
        found.update({address.strip().casefold(): role for address in addresses if address.strip()})
    if unknown := sorted(set(listed) - set(ROLES)):
        raise AccessRefused(
            f"The roles cannot be read: {_SECRETS} has a role {unknown[0]}, and there are {', '.join(ROLES)}."
        )
    return found


def _secrets(section: str) -> Mapping[str, Any] | None:
    """A section of Streamlit's secrets; None where there is none.

    Raises:
        AccessRefused: there is a file and it cannot be read. Streamlit takes that for "no login".
    """
    try:
        found = st.secrets.get(section)
    except StreamlitSecretNotFoundError as error:
        if any(Path(file).exists() for file in config.get_option("secrets.files")):
            raise AccessRefused(
                f"Nobody can be let in, since {_SECRETS} cannot be read: put it right and restart the app."
            ) from error
        return None
    if found is not None and not isinstance(found, Mapping):
        raise AccessRefused(f"{_SECRETS} has a value {section} where a table [{section}] belongs.")
    return found
