"""Who asks: by the token of the server or by a key of their own; what they may do, and how often."""

import hmac
import time
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers

from speakerid.gallery.keys import Keys
from speakerid.rest.refusals import Refusal
from speakerid.roles import ROLES, Role

PROTOCOL, _IN_PROTOCOL = "speakerid", "key."
"""Subprotocols of a WebSocket. A browser's sends no headers: it offers PROTOCOL and "key." with its key."""
BYTES_A_REQUEST: dict[Role, int] = {"viewer": 1_000_000, "operator": 500_000_000, "admin": 2_000_010_000}
"""Of a key, by its role, beside what each address takes; 2 GB and the rest of a form for everybody else."""
REQUESTS_A_MINUTE: dict[Role, int] = {"viewer": 120, "operator": 300, "admin": 600}
"""Of one key, by its role; the server's own token, and this computer without keys, are not held back."""


@dataclass(frozen=True)
class Caller:
    """Who makes a request.

    Attributes:
        name: in the audit log.
        key: of the key that was sent; "" without one.
    """

    name: str = "api"
    role: Role = "admin"
    key: str = ""

    @property
    def most_bytes(self) -> int:
        """That a body may have."""
        return BYTES_A_REQUEST[self.role]

    def require(self, role: Role) -> None:
        """Raises Refusal unless they may do what needs this role."""
        if ROLES.index(self.role) < ROLES.index(role):
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                f"This takes a key of the role {role}, and yours is of {self.role}: ask whoever runs this.",
            )


class Access:
    """The door's list.

    Args:
        token: that opens everything; "" for none.
        keys: of single callers.
        open: whether who brings neither is let in while there are no keys.
    """

    def __init__(self, token: str, keys: Keys, *, open: bool):
        self._token, self._keys, self._open = token.encode(), keys, open
        self._budgets: dict[str, tuple[float, float]] = {}  # requests left, and when that was

    def caller(self, headers: Headers) -> Caller:
        """Who sends these headers; raises Refusal for strangers."""
        given = _given(headers)
        if self._token and hmac.compare_digest(given.encode("latin-1", "replace"), self._token):
            return Caller()
        if given and (key := self._keys.find(given)):
            return Caller(f"api:{key.name}", key.role, key.name)
        if self._open and not self._token and not given and not self._keys.all():
            return Caller()
        raise Refusal(
            HTTPStatus.UNAUTHORIZED,
            "The token is missing or wrong: send the header “Authorization: Bearer TOKEN” with a key "
            "(python -m speakerid keys --add NAME) or with what SPEAKERID_API_TOKEN is set to.",
            headers={"WWW-Authenticate": "Bearer"},
        )

    def spend(self, caller: Caller) -> dict[str, str]:
        """Count a request; the headers that tell what is left. Raises Refusal once nothing is."""
        size = {"Upload-Limit": f"max-size={caller.most_bytes}"}
        if not caller.key:
            return size
        most = REQUESTS_A_MINUTE[caller.role]
        now = time.monotonic()
        left, at = self._budgets.get(caller.key, (float(most), now))
        left = min(most, left + (now - at) * most / 60)
        wait = max(1, round((1 - left) * 60 / most))
        told = {**size, "RateLimit-Limit": str(most), "RateLimit-Remaining": str(max(0, int(left) - 1))}
        if left < 1:
            self._budgets[caller.key] = (left, now)
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"This key may send {most} requests a minute and has: wait {wait} s.",
                headers={**told, "Retry-After": str(wait)},
            )
        self._budgets[caller.key] = (left - 1, now)
        return told


def _given(headers: Headers) -> str:
    """The key that was sent: as a header or, by a browser's WebSocket, among the subprotocols."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    offered = (one.strip() for one in headers.get("sec-websocket-protocol", "").split(","))
    return next((one.removeprefix(_IN_PROTOCOL) for one in offered if one.startswith(_IN_PROTOCOL)), "")
