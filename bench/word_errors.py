"""Word error rates as every bench measures and shows them."""

from typing import Any

from adaptwin_core.ml.decode import Transcripts, transcribe
from adaptwin_core.ml.report import spread
from adaptwin_core.ml.scoring import score
from adaptwin_core.ml.windows import Featurizer
from adaptwin_core.speech.corpus import Corpus


def word_error_rates(
    model: Any, featurizer: Featurizer, corpus: Corpus, num_clips: int, language: str
) -> tuple[list[float], Transcripts]:
    """Return the corpus WER in % on held-out clips with its 95 % interval, and what was heard at what cost."""
    clips = spread([clip for clip in corpus.split("test") if clip.text], num_clips)
    heard = transcribe(model, featurizer, corpus, clips)
    found = score([clip.text or "" for clip in clips], heard.texts, language=language)
    return [round(100 * x, 2) for x in (found.wer, found.wer_low, found.wer_high)], heard


def as_text(wer: list[float]) -> str:
    """Return a rate and its interval as a table shows them."""
    return f"{wer[0]} ({wer[1]}-{wer[2]})"
