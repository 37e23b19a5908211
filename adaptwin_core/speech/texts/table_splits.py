"""The splits that tables are named for: train.tsv, metadata_val.csv, data/test/text."""

import re
from collections.abc import Sequence

from adaptwin_core.domain.splits import Split
from adaptwin_core.speech.files.sources import base
from adaptwin_core.speech.split_names import SPLIT_OF_FILE_WORD
from adaptwin_core.speech.texts.readings import TextFile


def splits_by_name(files: Sequence[TextFile]) -> dict[str, Split]:
    """Return each table's split by the file's label.

    Names count only if one table is for training and another for testing or validation. A lone test.csv may be a trial.
    """
    found = {file.name: split for file in files if (split := _split_in(file)) is not None}
    return found if "train" in found.values() and set(found.values()) != {"train"} else {}


def _split_in(file: TextFile) -> Split | None:
    named = base(file.folder) if file.base == "text" else file.stem  # Kaldi's tables are all called text
    words = re.split(r"[\W_\d]+", named.casefold())
    splits = {SPLIT_OF_FILE_WORD[word] for word in words if word in SPLIT_OF_FILE_WORD}
    return splits.pop() if len(splits) == 1 else None
