"""Byte ranges as RFC 9110 reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptwin_core.domain.errors import InvalidInput
from api.ranges import etag_of, is_known, part_of

ETAG = etag_of("ab" * 32)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-9", range(10)),
        ("bytes=90-", range(90, 100)),
        ("bytes=-10", range(90, 100)),
        ("bytes=-1000", range(100)),
        ("bytes=50-1000", range(50, 100)),
        ("bytes=9-0", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=0-1,2-3", None),
        ("items=0-1", None),
        ("bytes=١-٢", None),
    ],
)
def test_a_range_names_a_part_or_is_ignored(header: str | None, expected: range | None):
    assert part_of(header, None, ETAG, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_past_the_end_is_refused(header: str):
    with pytest.raises(InvalidInput) as refused:
        part_of(header, None, ETAG, 100)
    assert refused.value.code == "range_not_satisfiable"


def test_an_empty_file_has_no_part():
    with pytest.raises(InvalidInput):
        part_of("bytes=0-", None, ETAG, 0)


def test_if_range_must_name_these_bytes():
    assert part_of("bytes=0-9", ETAG, ETAG, 100) == range(10)
    for other in ('"x"', f"W/{ETAG}", "Wed, 21 Oct 2015 07:28:00 GMT"):
        assert part_of("bytes=0-9", other, ETAG, 100) is None


def test_a_file_that_the_client_has_is_known_by_its_tag():
    assert is_known(f'"x", W/{ETAG}', ETAG)
    assert is_known("*", ETAG)
    assert not is_known(None, ETAG)
    assert not is_known('"x"', ETAG)


@given(st.text(max_size=30), st.integers(0, 1000))
def test_no_header_breaks_it(text: str, num_bytes: int):
    try:
        part = part_of(f"bytes={text}", None, ETAG, num_bytes)
    except InvalidInput:
        return
    assert part is None or (0 <= part.start < part.stop <= num_bytes)
