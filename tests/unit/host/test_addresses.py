from __future__ import annotations

import json
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from crossbuild.errors import UsageError
from crossbuild.host.addresses import parse_address, parse_interfaces, parse_network, place_of_nodes

INTERFACES = (
    ip_interface("127.0.0.1/8"),
    ip_interface("192.0.2.5/32"),
    ip_interface("10.1.0.1/16"),
    ip_interface("fd00::1/64"),
)
NODES = ip_network("10.1.0.0/16")
ROUTED = ip_network("10.9.0.0/16")


def test_addresses_are_read_with_their_networks() -> None:
    links = [
        {"ifname": "lo", "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8}]},
        {"ifname": "down"},
        {"ifname": "eth0", "addr_info": [{"local": "fd00::1", "prefixlen": 64}, {"prefixlen": 64}]},
    ]
    assert parse_interfaces(json.dumps(links)) == (INTERFACES[0], INTERFACES[3])


@pytest.mark.parametrize(
    ("sms_ip", "networks", "address", "expected"),
    [
        pytest.param("10.1.0.1", (), "10.1.0.1", (NODES,), id="the network of the address"),
        pytest.param("fd00::1", (), "fd00::1", (ip_network("fd00::/64"),), id="IPv6"),
        pytest.param("10.1.0.1", (ROUTED,), "10.1.0.1", (ROUTED,), id="networks behind a router"),
        pytest.param("192.0.2.5", (ROUTED,), "192.0.2.5", (ROUTED,), id="a lone address, networks named"),
        pytest.param("", (ROUTED, NODES), "10.1.0.1", (ROUTED, NODES), id="the address in a network"),
    ],
)
def test_address_and_networks_complete_each_other(
    sms_ip: str, networks: tuple[object, ...], address: str, expected: tuple[object, ...]
) -> None:
    given = [parse_network(str(network)) for network in networks]
    assert place_of_nodes(sms_ip, given, INTERFACES) == (ip_address(address), expected)


@pytest.mark.parametrize(
    ("sms_ip", "networks", "brief", "resolution"),
    [
        ("10.1.0.2", (), "10.1.0.2 is not an address of this host", "--sms-ip"),
        ("sms", (), "`sms` is not an IP address", "10.1.0.1"),
        ("192.0.2.5", (), "alone in its network", "--network"),
        ("", (), "not known from where", "--sms-ip"),
        ("", ("10.9.0.0/16",), "no address in 10.9.0.0/16", "--sms-ip"),
    ],
)
def test_what_does_not_fit_this_host_is_refused_with_the_remedy(
    sms_ip: str, networks: tuple[str, ...], brief: str, resolution: str
) -> None:
    with pytest.raises(UsageError, match=brief) as caught:
        place_of_nodes(sms_ip, [parse_network(text) for text in networks], INTERFACES)
    assert resolution in caught.value.resolution


@pytest.mark.parametrize(
    ("text", "resolution"),
    [("10.1.0.1/16", "Did you mean 10.1.0.0/16?"), ("nodes", "10.1.0.0/16"), ("10.1.0.0/33", "10.1.0.0/16")],
)
def test_a_network_that_is_none_is_refused(text: str, resolution: str) -> None:
    with pytest.raises(UsageError, match="is not a network") as caught:
        parse_network(text)
    assert resolution in caught.value.resolution


def test_an_address_is_no_name() -> None:
    with pytest.raises(UsageError):
        parse_address("node1")
