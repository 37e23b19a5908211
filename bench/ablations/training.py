"""What each choice of training is worth, in words: one change of the product's settings at a time."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from adaptwin_core.ml import precision
from adaptwin_core.ml.setting import Setting
from adaptwin_core.speech.corpus import Corpus
from bench.kitchen import Kitchen, Made
from bench.word_errors import word_error_rates

CHANGES: dict[str, dict[str, Any]] = {
    "ours": {},
    "no training at all": {"layer_steps": 0, "tune_steps": 0},
    "no layer-wise phase": {"layer_steps": 0},
    "no end-to-end phase": {"tune_steps": 0},
    "the factors themselves instead of adapters": {"tune_method": "factors"},
    "no general speech in training": {"general_share": 0.0},
    "half general speech in training": {"general_share": 0.5},
}
NO_TRANSCRIPTS = "no transcripts: the original's own words"
FLOAT32 = "end-to-end phase all in float32"


def rows(kitchen: Kitchen, num_clips: int) -> Iterator[dict[str, Any]]:
    """Yield every row: its change, word error rates of both kinds of speech, seconds."""
    judged = kitchen.setting
    settings = {name: kitchen.changed(**change) for name, change in CHANGES.items()}
    settings[FLOAT32] = kitchen.changed()
    settings[NO_TRANSCRIPTS] = replace(kitchen.changed(), speaker=_without_texts(judged.speaker))
    for name, setting in settings.items():
        made = _exactly(kitchen, setting) if name == FLOAT32 else kitchen.make(setting)
        rates = {}
        for kind, corpus in (("speaker", judged.speaker), ("others", judged.general)):
            assert corpus is not None
            found = word_error_rates(made.model, judged.featurizer(), corpus, num_clips, judged.spec.language)
            rates[f"{kind}_wer"] = found.wer
        yield {"change": name, **rates, "seconds": round(made.tuning_s, 1)}


def _exactly(kitchen: Kitchen, setting: Setting) -> Made:
    with patch.object(precision, "multiplies_bfloat16", return_value=False):
        return kitchen.make(setting)


def _without_texts(corpus: Corpus) -> Corpus:
    return replace(corpus, clips=tuple(replace(clip, text=None) for clip in corpus.clips))
