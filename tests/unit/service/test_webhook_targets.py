"""Which URLs a webhook may have: by their form, and by every address that their host has."""

import os
import subprocess
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.networks import Address, parse_networks
from adaptwin_core.service.webhook_targets import CODE, Targets, resolve

ROOT = Path(__file__).parents[3]
PUBLIC, PRIVATE, LOCAL = (ip_address(text) for text in ("93.184.215.14", "10.0.0.7", "127.0.0.1"))
URL = "https://hooks.example.com/in?x=1"


def leading_to(*addresses: Address, private: str = "") -> Targets:
    return Targets(parse_networks(private), lambda _host, _port: addresses)


def test_a_public_https_address_is_taken() -> None:
    target = leading_to(PUBLIC, PUBLIC, ip_address("2606:4700::1111")).find(URL)
    assert str(target.url) == URL
    assert target.addresses == (PUBLIC, ip_address("2606:4700::1111"))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://hooks.example.com/in", "by https only"),
        ("ftp://hooks.example.com/in", "begins with https://"),
        ("hooks.example.com/in", "begins with https://"),
        ("https:///in", "names a host"),
        ("file:///etc/passwd", "begins with https://"),
        ("https://me@hooks.example.com/", "leave user name and password out"),
        ("https://me:secret@hooks.example.com/", "leave user name and password out"),
        ("https://hooks.example.com:99999/", "is no port"),
        ("https://hooks.example.com:0/", "is no port"),
        ("https://[::1/", "no URL"),
        ("https://xn--a/", "no URL"),
    ],
)
def test_a_url_of_another_form_is_refused(url: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told) as refusal:
        leading_to(PUBLIC).find(url)
    assert refusal.value.code == CODE


@pytest.mark.parametrize("addresses", [(PRIVATE,), (LOCAL,), (PUBLIC, PRIVATE), (ip_address("::1"), PUBLIC), ()])
def test_a_host_with_an_address_that_is_not_public_is_refused_in_the_same_words(addresses: Sequence[Address]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        leading_to(*addresses).find(URL)
    assert refusal.value.message.startswith("hooks.example.com has no address, or one that is not of the public")
    assert "10.0.0.7" not in refusal.value.message


def test_a_host_that_cannot_be_looked_up_is_refused() -> None:
    def fails(_host: str, _port: int) -> Sequence[Address]:
        raise OSError("no such host")

    with pytest.raises(InvalidInput, match="has no address"):
        Targets((), fails).find(URL)


def test_a_network_that_the_operator_named_is_reached_by_http_too() -> None:
    targets = leading_to(PRIVATE, private="10.0.0.0/8")
    assert targets.find("http://hooks.example.com/in").addresses == (PRIVATE,)
    with pytest.raises(InvalidInput, match="no address"):
        leading_to(PRIVATE, LOCAL, private="10.0.0.0/8").find(URL)
    with pytest.raises(InvalidInput, match="https only"):  # whoever listens on the way must not see it
        leading_to(PRIVATE, PUBLIC, private="10.0.0.0/8").find("http://hooks.example.com/in")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_this_machine_is_refused_by_its_names(host: str) -> None:
    with pytest.raises(InvalidInput, match="no address"):
        Targets(()).find(f"https://{host}/")


def test_numbers_that_stand_for_an_address_are_read_as_the_system_reads_them() -> None:
    """In a process without the tests' guard, which knows no such forms. Numbers are looked up nowhere."""
    hosts = [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "017700000001",
        "0",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "169.254.43518",
    ]
    program = f"""
from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.service.webhook_targets import Targets
for host in {hosts!r}:
    try:
        print(Targets(()).find("https://" + host))
    except InvalidInput as refusal:
        print("no address" in refusal.message)
"""
    bare = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", program], env=bare, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * len(hosts)


def test_a_name_has_the_addresses_that_the_system_knows() -> None:
    assert set(resolve("localhost", 80)) & {LOCAL, ip_address("::1")}
