"""Reads which split a recording belongs to from the folder it lies in: `train/`, `test/`, `dev-clean/`."""

import re
from collections import defaultdict
from collections.abc import Sequence

from adaptwin_core.domain.splits import Split
from adaptwin_core.speech.split_names import SPLIT_OF_FILE_WORD

_WORD = re.compile(r"[^\W\d_]+")


def splits_by_folder(names: Sequence[str]) -> dict[str, Split]:
    """Return the split of each file under folders that are named so.

    Folders count only where two at the same depth give different splits. One folder called `test` alone gives none.
    """
    at_depth: dict[int, dict[str, Split]] = defaultdict(dict)
    for name in names:
        for depth, folder in enumerate(name.split("/")[:-1]):
            split = _split_of(folder)
            if split:
                at_depth[depth][name] = split
    found: dict[str, Split] = {}
    for depth in sorted(at_depth):
        if len(set(at_depth[depth].values())) > 1:
            found = {**at_depth[depth], **found}  # the outer folder goes before an inner one
    return found


def _split_of(folder: str) -> Split | None:
    """Return the split that a folder is named for: `test` and `test-clean` are, `testimony` is not."""
    word = _WORD.match(folder.casefold())
    return SPLIT_OF_FILE_WORD.get(word[0]) if word else None
