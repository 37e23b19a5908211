"""Which addresses the service may be sent to by somebody else's URL: the public internet, and networks that were named.

The rules are our own where `ipaddress.is_global` is not enough: it calls multicast, NAT64 and 6to4 global, and its
answers for IPv4 addresses within IPv6 ones differ between versions of Python.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address that is reached
_IPV6_UNICAST = IPv6Network("2000::/3")  # all that is assigned to hosts of the internet
# Parts of the above that lead elsewhere or nowhere
_EXCEPTIONS = tuple(
    ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # relays of 6to4
        "2001::/23",  # protocol assignments, with Teredo
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address of any kind is inside
        "3fff::/20",  # documentation
    )
)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read networks that are separated by commas, such as `10.0.0.0/8`.

    Raises:
        ValueError: one of them is no network.
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def is_public(address: Address) -> bool:
    """Tell whether an address is that of one host of the public internet."""
    address = reached(address)
    if any(_holds(network, address) for network in _EXCEPTIONS):
        return False
    if isinstance(address, IPv6Address):
        return address in _IPV6_UNICAST
    return address.is_global and not (address.is_multicast or address.is_reserved)


def is_within(address: Address, networks: tuple[Network, ...]) -> bool:
    """Tell whether an address, as it was given or as it is reached, lies in one of these networks."""
    return any(_holds(network, form) for network in networks for form in (address, reached(address)))


def reached(address: Address) -> Address:
    """Return the address that is reached in the end: IPv4 for IPv4 mapped into IPv6, and behind NAT64."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address


def _holds(network: Network, address: Address) -> bool:
    return network.version == address.version and address in network
