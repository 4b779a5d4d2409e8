"""Which computer an address is: what the servers of this app decide their caution by."""

import ipaddress


def this_computer(host: str) -> bool:
    """Whether a name or an address, without a port, can only be this computer; "" is all of its addresses."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a name, or "" for all addresses
        return False
