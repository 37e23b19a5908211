"""A model's tokens at the places that they have in the base model, for a runtime that knows special tokens by place."""

from pathlib import Path

import numpy as np

from adaptwin_core.ml.base.token_ids import END, NUM_TIMESTAMPS, first_timestamp, token_ids
from adaptwin_core.ml.base.weights import read_json
from adaptwin_core.ml.base.whisper_files import KEPT_FILE
from adaptwin_core.ml.exports.text_tokens import text_tokens


class OriginalVocabulary:
    """The vocabulary of a base model, of which a model may have dropped tokens. Shape letters: V tokens, D width."""

    def __init__(self, texts: Path) -> None:
        """Read it from a model's folder."""
        ids = token_ids(texts)
        self._num_kept = first_timestamp(ids) + NUM_TIMESTAMPS
        kept = read_json(texts / KEPT_FILE)["kept"] if (texts / KEPT_FILE).is_file() else range(self._num_kept)
        self._places = np.array(kept[: self._num_kept])
        self._end = ids[END]
        self._texts = text_tokens(texts)
        self.num_tokens = int(self._places[-1]) + 1

    @property
    def tokens(self) -> list[bytes]:
        """The bytes of every token that is text; none where it was dropped."""
        places = self._places[: len(self._texts)]
        text_of = dict(zip(places.tolist(), self._texts, strict=True))
        num_texts = int(self._places[self._end]) + len(self._texts) - self._end
        return [text_of.get(place, b"") for place in range(num_texts)]

    def rows(self, embedding_VD: np.ndarray) -> np.ndarray:
        """Return an embedding with a row for every token of the base model.

        A dropped token has the mean of all rows of text. Its score is the mean of their scores, so it is never the
        highest.
        """
        rows_VD = np.repeat(embedding_VD[: self._end].mean(axis=0, keepdims=True), self.num_tokens, axis=0)
        rows_VD[self._places] = embedding_VD[: self._num_kept]
        return rows_VD
