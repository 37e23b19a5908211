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


def _texts(result: TaskResult) -> Texts:
    texts: Texts = json.loads(result.files[TEXTS_FILE].read_text())
    return texts


def _seconds(result: TaskResult) -> float:
    return round(result.figures["compute_s"] / result.figures["audio_s"], 4)
