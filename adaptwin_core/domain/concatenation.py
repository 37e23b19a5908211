"""Upload-Concat of tus 1.0: `partial`, or `final;` and the addresses of the parts in their order."""

import re

from adaptwin_core.domain.errors import InvalidInput

PARTIAL = "partial"
_FINAL = "final;"
# As a client got it in Location: relative, or made absolute by the client.
_ADDRESS = re.compile(r"(?:https?://[^/\s]+)?/(?:[^\s?#,]+/)?uploads/(up_[0-9a-z]{26})")


def part_ids(concat: str | None) -> list[str]:
    """Return the ids of the uploads that a final upload is made of, in order; none where the header is no final one.

    Raises:
        InvalidInput: it is neither `partial` nor `final;` with addresses of uploads, each once.
    """
    if concat is None or concat == PARTIAL:
        return []
    addresses = concat.removeprefix(_FINAL).split(" ")
    found = [_ADDRESS.fullmatch(address) for address in addresses]
    ids = [match.group(1) for match in found if match]
    if not concat.startswith(_FINAL) or len(ids) < len(addresses) or len(set(ids)) < len(ids):
        raise InvalidInput(
            f"Upload-Concat must be {PARTIAL}, or {_FINAL} and the addresses of partial uploads, with a space between "
            "them and each once"
        )
    return ids
