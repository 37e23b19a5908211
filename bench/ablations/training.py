"""What each choice of training is worth, in words: one change of the product's settings at a time."""

from collections.abc import Collection, Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from adaptwin_core.ml.model import precision
from adaptwin_core.ml.training import mixture
from adaptwin_core.speech.corpus import Corpus
from bench.kitchen import Kitchen
from bench.word_errors import word_error_rates

CHANGES: dict[str, dict[str, Any]] = {
    "ours": {},
    "no training at all": {"personal_steps": 0, "layer_steps": 0, "tune_steps": 0},
    "no layer-wise phase": {"layer_steps": 0},
    "no end-to-end phase": {"personal_steps": 0, "tune_steps": 0},
    "no steps after the cut": {"tune_steps": 0},
    "the factors themselves instead of adapters": {"tune_method": "factors"},
    "no general speech in training": {"general_share": 0.0},
    "half general speech in training": {"general_share": 0.5},
}
NO_TRANSCRIPTS = "no transcripts: the original's own words"
# What is no setting of a job: where it stands, and what it is instead.
OTHERWISE: dict[str, tuple[Any, str, Any]] = {
    "all tuning in float32": (precision, "multiplies_bfloat16", lambda _where: False),
    "whole windows only": (mixture, "SHORT_SHARE", 0.0),
    "three of four windows short": (mixture, "SHORT_SHARE", 0.75),
    "the original's words for the speaker too": (mixture, "SPEAKER_WEIGHTS", mixture.UNTRANSCRIBED_WEIGHTS),
}


def rows(kitchen: Kitchen, num_clips: int, wanted: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield every row, or those of the wanted changes: its change, word error rates of both kinds of speech, seconds.

    Raises:
        SystemExit: a wanted change is none of these.
    """
    judged, spec = kitchen.setting, kitchen.setting.spec
    changes = {
        **CHANGES,
        "all steps after the cut": {"personal_steps": 0, "tune_steps": spec.personal_steps + spec.tune_steps},
        "twice the steps": {"personal_steps": 2 * spec.personal_steps, "tune_steps": 2 * spec.tune_steps},
        "twice the rate": {"tune_learning_rate": 2 * spec.tune_rate},
    }
    names = (*changes, *OTHERWISE, NO_TRANSCRIPTS)
    if unknown := set(wanted) - set(names):
        raise SystemExit(f"no such change: {', '.join(unknown)}; there are: {', '.join(names)}")
    for name in names:
        if wanted and name not in wanted:
            continue
        cook = kitchen
        if name == NO_TRANSCRIPTS:
            cook = kitchen.apart(name, speaker=_without_texts(judged.speaker))
        if name in OTHERWISE:
            cook = kitchen.apart(name)
        with patch.object(*OTHERWISE[name]) if name in OTHERWISE else nullcontext():
            made = cook.make(cook.changed(**changes.get(name, {})))
        rates = {}
        for kind, corpus in (("speaker", judged.speaker), ("others", judged.general)):
            assert corpus is not None
            found = word_error_rates(made.model, judged.featurizer(), corpus, num_clips, spec.language)
            rates[f"{kind}_wer"] = found.wer
        yield {"change": name, **rates, "seconds": round(made.tuning_s, 1)}


def _without_texts(corpus: Corpus) -> Corpus:
    return replace(corpus, clips=tuple(replace(clip, text=None) for clip in corpus.clips))
