"""Where the client finds the service."""

import pytest

from adaptwin_core.client import AsyncClient, NoAddress
from adaptwin_core.client.address import address_of


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADAPTWIN_URL", raising=False)
    monkeypatch.delenv("ADAPTWIN_KEY", raising=False)


def test_what_is_given_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTWIN_URL", "http://there:1/")
    monkeypatch.setenv("ADAPTWIN_KEY", "adtw_there\n")
    assert (address_of(None, None).url, address_of(None, None).key) == ("http://there:1", "adtw_there")
    here = address_of("https://here/under/", "adtw_here")
    assert (here.url, here.headers) == ("https://here/under", {"Authorization": "Bearer adtw_here"})
    assert "adtw_here" not in repr(here)


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        (None, "adtw_k", "ADAPTWIN_URL"),
        ("http://here", None, "ADAPTWIN_KEY"),
        ("localhost:8000", "adtw_k", "must look like"),
        ("http://", "adtw_k", "must look like"),
        ("http://here:port", "adtw_k", "must look like"),
        ("http://here", "schlüssel", "copy it again"),
        ("http://here", "two\nlines", "copy it again"),
    ],
)
def test_what_cannot_be_an_address_is_refused_at_once(url: str | None, key: str | None, said: str) -> None:
    with pytest.raises(NoAddress, match=said):
        AsyncClient(url, key)
