"""The addresses of this host and the networks that they are in."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from ipaddress import IPv4Interface, IPv6Interface

from crossbuild.errors import UsageError
from crossbuild.host.command import capture
from crossbuild.model.export import Address, Network

Interface = IPv4Interface | IPv6Interface


def read_interfaces() -> tuple[Interface, ...]:
    """Return every address of this host with its network."""
    return parse_interfaces(capture(["ip", "-json", "address", "show"]).stdout)


def parse_interfaces(text: str) -> tuple[Interface, ...]:
    """Return the addresses in what `ip -json address show` printed (ip-address(8))."""
    return tuple(
        ipaddress.ip_interface(f"{entry['local']}/{entry['prefixlen']}")
        for link in json.loads(text)
        for entry in link.get("addr_info", [])
        if "local" in entry
    )


def parse_address(text: str) -> Address:
    """Return *text* as an IP address; raise UsageError for anything else."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise UsageError(f"`{text}` is not an IP address.", resolution="Write it as in 10.1.0.1.") from None


def parse_network(text: str) -> Network:
    """Return *text* as a network in CIDR notation; raise UsageError for anything else."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        pass
    try:
        meant = f"Did you mean {ipaddress.ip_network(text, strict=False)}?"
    except ValueError:
        meant = "Write it as in 10.1.0.0/16."
    raise UsageError(f"`{text}` is not a network.", resolution=meant)


def place_of_nodes(
    sms_ip: str, networks: Sequence[Network], interfaces: Sequence[Interface]
) -> tuple[Address, tuple[Network, ...]]:
    """Return the address that nodes reach this host by, and their networks; either may be left to the other.

    *sms_ip* must be the address of one of *interfaces*. Raises UsageError.
    """
    if sms_ip:
        interface = _own_interface(parse_address(sms_ip), interfaces)
        return interface.ip, tuple(networks) or (_shared_network(interface),)
    if networks:
        return _address_within(networks, interfaces), tuple(networks)
    raise UsageError(
        "It is not known from where nodes mount the tree.",
        resolution="Give `--sms-ip` or `--network`, or set the variable `sms_ip` of the site.",
    )


def _own_interface(address: Address, interfaces: Sequence[Interface]) -> Interface:
    for interface in interfaces:
        if interface.ip == address:
            return interface
    raise UsageError(
        f"{address} is not an address of this host.",
        details="It has: " + (", ".join(str(interface.ip) for interface in interfaces) or "none") + ".",
        resolution="Name one of these with `--sms-ip`, or set the variable `sms_ip` of the site to it.",
    )


def _shared_network(interface: Interface) -> Network:
    if interface.network.num_addresses == 1:
        raise UsageError(
            f"{interface.ip} is alone in its network {interface.network}: no node could mount the tree.",
            resolution="Name the nodes' networks with `--network`.",
        )
    return interface.network


def _address_within(networks: Sequence[Network], interfaces: Sequence[Interface]) -> Address:
    for interface in interfaces:
        if any(interface.ip in network for network in networks):
            return interface.ip
    raise UsageError(
        f"This host has no address in {' or '.join(map(str, networks))}.",
        resolution="Say with `--sms-ip` which of its addresses nodes reach.",
    )
