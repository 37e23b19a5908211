"""Which addresses are public, also those that hide another inside."""

from ipaddress import ip_address

import pytest

from adaptwin_core.domain.networks import is_public, is_within, parse_networks

PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
NOT_PUBLIC = [
    *("127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1"),
    *("0.0.0.0", "0.1.2.3", "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
    "192.88.99.1",
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "100::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::8.8.8.8"),
    *("64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::8.8.8.8", "2002:7f00:1::", "2002:808:808::1"),
    *("2001::1", "2001:0:4136:e378::1", "2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1", "5f00::1"),
]


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_any_other_address_is_not(text: str) -> None:
    assert not is_public(ip_address(text))


def test_a_named_network_holds_its_addresses_in_every_form() -> None:
    networks = parse_networks(" 10.0.0.0/8, fd00::/8 ,127.0.0.1")
    inside = ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd00::1", "127.0.0.1"]
    outside = ["11.0.0.1", "::ffff:11.0.0.1", "fc00::1", "127.0.0.2", "::1"]
    assert [text for text in inside + outside if is_within(ip_address(text), networks)] == inside


@pytest.mark.parametrize("text", ["10.0.0.1/8", "localhost", "10.0.0.0/33", "10.0.0.0/8;::1"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"network|host bits|appear"):
        parse_networks(text)


def test_no_text_names_no_network() -> None:
    assert parse_networks(" , ") == ()
