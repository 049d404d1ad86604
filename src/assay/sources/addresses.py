"""Which addresses a server may send us on to.

A hub redirects downloads to a content network. One that is hostile, or broken into, could as well redirect to
what only this machine can reach: a cloud's metadata service, a service of the house, the loopback
(server-side request forgery, CWE-918). The address is judged once connected and before a byte is sent, so a
name that resolves anew does not help.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address
# Metadata services of clouds (AWS, Azure, Google; AWS by IPv6; Alibaba; Oracle): never a content network.
_METADATA = frozenset(
    ip_address(text) for text in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192")
)


def address_of(text: str) -> Address:
    """The address in `text`, IPv4 within IPv6 as IPv4; a zone is left out.

    Raises:
        ValueError: it is none.
    """
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address


def may_lead_to(target: Address, home: Address) -> bool:
    """Whether a server at `home`, which the user named, may redirect to `target`.

    To any public address; from a loopback server to the loopback, from a private one to private ones.
    """
    if target in _METADATA or target.is_link_local or target.is_multicast or target.is_unspecified:
        return False
    if target.is_global:
        return True
    if home.is_loopback or target.is_loopback:
        return home.is_loopback and target.is_loopback
    return not home.is_global and target.is_private
