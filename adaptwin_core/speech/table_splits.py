"""Splits that the names of tables tell: train.tsv, metadata_val.csv, data/test/text."""

import re
from collections.abc import Sequence

from adaptwin_core.speech.claims import SPLITS, Split
from adaptwin_core.speech.readings import TextFile
from adaptwin_core.speech.sources import base


def splits_by_name(files: Sequence[TextFile]) -> dict[str, Split]:
    """Return each table's split by the file's label.

    Only where one table names training and another testing or validation: a lone test.csv is most often a trial.
    """
    found = {file.name: split for file in files if (split := _split_in(file)) is not None}
    return found if "train" in found.values() and set(found.values()) != {"train"} else {}


def _split_in(file: TextFile) -> Split | None:
    named = base(file.folder) if file.base == "text" else file.stem  # Kaldi's tables are all called text
    words = {SPLITS[word] for word in re.split(r"[\W_\d]+", named.casefold()) if word in SPLITS and word != "general"}
    return words.pop() if len(words) == 1 else None
