"""The names of the files that say what lies beside them. Several rooms look them up, so each is named once, here."""

from typing import Final

CORPUS_MANIFEST: Final = "corpus.json"  # of a dataset's speech: its clips, and its shards with their SHA-256
MODEL_MANIFEST: Final = "adaptwin.json"  # of a model's or an export's folder: its files, their SHA-256 and its settings
MODEL_CARD: Final = "README.md"  # of the same folder, in words
