"""What both models transcribed of one kind of speech, as the evaluations left it, and how they compare."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import Contender, EvaluationKey, SpeechKind, WindowKind
from adaptwin_core.ml.evaluation.comparison import compare, judged_clips, silence
from adaptwin_core.ml.evaluation.held_out import held_out_clips
from adaptwin_core.ml.evaluation.scoring import Score, score
from adaptwin_core.ml.evaluation.window_choice import WITHOUT_WORDS, WindowChoice, choose_window
from adaptwin_core.ml.stages.file_names import TEXTS_FILE
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.speech.corpus import Clip

Texts = Mapping[str, str]  # by clip id


@dataclass(frozen=True)
class Heard:
    """`original` and `compressed`: the texts; `seconds`: of compute for a second of audio, of the original and of the
    compressed model in each kind of window.
    """

    clips: Sequence[Clip]
    language: str
    original: Texts
    compressed: Mapping[WindowKind, Texts]
    seconds: Mapping[str, float]

    @classmethod
    def of(cls, recipe: Recipe, kind: SpeechKind) -> "Heard | None":
        """Return what was heard of one kind of speech; None where the job has no such held-out clip."""
        corpus = recipe.corpus(kind)
        clips = [] if corpus is None else held_out_clips(corpus, kind)
        if not clips:
            return None
        evaluated = recipe.results[Stage.EVALUATE]
        base = evaluated[EvaluationKey(Contender.BASE, kind, WindowKind.WHOLE)]
        compressed = {window: evaluated[EvaluationKey(Contender.COMPRESSED, kind, window)] for window in WindowKind}
        return cls(
            clips,
            recipe.spec.language,
            _texts(base),
            {window: _texts(result) for window, result in compressed.items()},
            {"original": _seconds(base), **{str(window): _seconds(result) for window, result in compressed.items()}},
        )

    def compared(self) -> dict[WindowKind, dict[str, Any]] | None:
        """Return the comparison for the compressed model in each kind of window; None where nobody says a word."""
        try:
            return {
                window: compare(self.clips, self.original, texts, self.language)
                for window, texts in self.compressed.items()
            }
        except InvalidInput:
            return None

    def in_window(self, window: WindowKind) -> dict[str, Any] | None:
        """Return the comparison in windows of one kind, with the scores in both kinds and the seconds that each takes.

        None where nobody says a word.
        """
        compared = self.compared()
        if compared is None:
            return None
        scores = {str(each): found["compressed"] for each, found in compared.items()}
        return compared[window] | {"windows": scores, "compute_s_per_audio_s": dict(self.seconds)}

    def window_choice(self) -> WindowChoice:
        """Return which kind of windows this speech says that the compressed model is for."""
        judged, references, _ = judged_clips(self.clips, self.original)

        def scored(window: WindowKind) -> Score:
            texts = self.compressed[window]
            return score(references, [texts[clip.id] for clip in judged], language=self.language)

        try:
            return choose_window(scored(WindowKind.FITTED), scored(WindowKind.WHOLE))
        except InvalidInput:
            return WITHOUT_WORDS

    def silence(self, window: WindowKind) -> dict[str, Any] | None:
        """Return what is written where nobody speaks; None where somebody does in every clip."""
        return silence(self.clips, self.original, self.compressed[window], self.language)


def all_heard(recipe: Recipe) -> dict[SpeechKind, Heard]:
    """Return what was heard of every kind of speech that the job has held-out clips of."""
    return {kind: found for kind in SpeechKind if (found := Heard.of(recipe, kind)) is not None}


def window_choice_of(heard: Mapping[SpeechKind, Heard]) -> WindowChoice:
    """Return which kind of windows the model is for, as its speaker's speech says."""
    return heard[SpeechKind.SPEAKER].window_choice() if SpeechKind.SPEAKER in heard else WITHOUT_WORDS


def in_window(heard: Mapping[SpeechKind, Heard], window: WindowKind) -> dict[str, Any]:
    """Return the comparison for each kind of speech that has a word, as `Heard.in_window` does."""
    return {str(kind): told for kind, found in heard.items() if (told := found.in_window(window)) is not None}


def _texts(result: TaskResult) -> Texts:
    texts: Texts = json.loads(result.files[TEXTS_FILE].read_text())
    return texts


def _seconds(result: TaskResult) -> float:
    return round(result.figures["compute_s"] / result.figures["audio_s"], 4)
