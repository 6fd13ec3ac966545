"""Which machines an address may lead to: a stranger's table must not send us into our own network.

A name says little about where it leads, and its answer may change from one question to the next
(DNS rebinding; Jackson et al., "Protecting Browsers from DNS Rebinding Attacks", CCS 2007). So what
is judged is the numeric address of each connection, just before it is made: of the first request,
of every redirect, of every address that a name has.
"""

import ipaddress
import socket
from typing import Any

# 64:ff9b::/96 stands for the IPv4 internet where a network has IPv6 alone (RFC 6052).
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")

# As aiohttp hands them on: family, kind, protocol, canonical name, (address, port, …).
AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]


class SSRFError(OSError):
    """A connection that would not lead into the public internet."""


def is_public(address: str) -> bool:
    """Whether a numeric IPv4 or IPv6 address is one of the public internet.

    Loopback, private, link-local (where clouds tell machines their keys), shared, reserved and
    multicast ones are not, nor what is no such address. IPv4 within IPv6 counts as what it is.

    >>> is_public("93.184.215.14"), is_public("::ffff:127.0.0.1"), is_public("169.254.169.254")
    (True, False, False)
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.is_site_local:  # of old, and still private where it is in use
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def open_public_socket(info: AddressInfo) -> socket.socket:
    """A socket for a connection that aiohttp is about to make.

    Raises:
        SSRFError: it would not lead into the public internet.
    """
    family, kind, protocol, _, address = info
    if family not in (socket.AF_INET, socket.AF_INET6) or not is_public(str(address[0])):
        # The same words for all addresses of a name: aiohttp tells the error on only then.
        raise SSRFError("not an address of the public internet")
    return socket.socket(family, kind, protocol)
