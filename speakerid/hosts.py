"""Which computer an address is, and whose page a request comes from: what servers are careful by."""

import ipaddress
from urllib.parse import urlsplit


def this_computer(host: str) -> bool:
    """Whether a name or an address, without a port, can only be this computer; "" is all of its addresses."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a name, or "" for all addresses
        return False


def same_origin(origin: str | None, host: str | None) -> bool:
    """Whether a WebSocket's Origin header names the very host and port that it was sent to.

    Browsers always send Origin with a WebSocket and apply no other protection; a page of another site that
    connects here names that site. A missing header is refused too.
    """
    if not origin or not host:
        return False
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:  # no address at all, such as "http://["
        return False
