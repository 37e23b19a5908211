"""Upload-Concat is read as tus writes it, or refused."""

import pytest

from adaptwin_core.domain.concatenation import part_ids
from adaptwin_core.domain.errors import InvalidInput

A, B = "up_01k0000000000000000000000a", "up_01k0000000000000000000000b"


@pytest.mark.parametrize(
    ("header", "ids"),
    [
        (None, []),
        ("partial", []),
        (f"final;/v1/uploads/{A}", [A]),
        (f"final;/v1/uploads/{B} /v1/uploads/{A}", [B, A]),
        (f"final;http://localhost:8000/v1/uploads/{A} https://h.example/behind/a/proxy/v1/uploads/{B}", [A, B]),
    ],
)
def test_the_parts_are_named_in_their_order(header: str | None, ids: list[str]):
    assert part_ids(header) == ids


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Partial",
        "final",
        "final;",
        f"/v1/uploads/{A}",
        f"final; /v1/uploads/{A}",
        f"final;/v1/uploads/{A}  /v1/uploads/{B}",
        f"final;/v1/uploads/{A} /v1/uploads/{A}",
        f"final;/v1/uploads/{A},/v1/uploads/{B}",
        f"final;/v1/uploads/{A}?x=1",
        f"final;ftp://h/v1/uploads/{A}",
        f"final;{A}",
        "final;/v1/uploads/../x",
    ],
)
def test_another_header_is_refused(header: str):
    with pytest.raises(InvalidInput):
        part_ids(header)
