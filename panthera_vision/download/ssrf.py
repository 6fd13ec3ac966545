"""SSRF guard: connect to public IP addresses only, even for URLs from an untrusted table.

A host name may resolve to another address each time (DNS rebinding; Jackson et al., "Protecting
Browsers from DNS Rebinding Attacks", CCS 2007). The guard therefore checks the IP address of each
connection just before it is made: of every redirect and of every address that a name has.
"""

import ipaddress
import socket
from typing import Any

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # IPv4 addresses in an IPv6-only network, RFC 6052

# As aiohttp passes them: family, type, protocol, canonical name, (address, port, …).
AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]


class SSRFError(OSError):
    """Refuse a connection to an address outside the public internet."""


def is_public(address: str) -> bool:
    """Return whether an IPv4 or IPv6 address belongs to the public internet.

    Loopback, private, link-local (cloud metadata services), shared, reserved and multicast
    addresses do not. An IPv4 address embedded in an IPv6 address is judged as IPv4.

    >>> is_public("93.184.215.14"), is_public("::ffff:127.0.0.1"), is_public("169.254.169.254")
    (True, False, False)
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            embedded = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if embedded is not None:
            return is_public(str(embedded))
        if ip.is_site_local:  # deprecated, still private where in use
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def open_public_socket(info: AddressInfo) -> socket.socket:
    """Create the socket of a connection that aiohttp is about to make.

    Raises:
        SSRFError: the address is not public.
    """
    family, kind, protocol, _, address = info
    if family not in (socket.AF_INET, socket.AF_INET6) or not is_public(str(address[0])):
        # One text for all addresses of a host: aiohttp passes the error on only if all are equal.
        raise SSRFError("not an address of the public internet")
    return socket.socket(family, kind, protocol)
