"""The windows that a recipe's models learn from end to end, and those that judge them while they learn."""

from adaptwin_core.domain.validation import MAX_WINDOWS, num_validation
from adaptwin_core.ml.model.windows import NonspeechWindow, Window, pack, pack_fitted
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.training.mixture import Mixture
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.nonspeech import nonspeech

NUM_NONSPEECH = 10  # made up, to learn silence from


def mixture_of(recipe: Recipe, *, teacher_knows_speaker: bool) -> Mixture:
    """Return the windows that are learnt from end to end, and those that judge it.

    With transcripts, only they are learnt from; without any, the base model's own words are.

    Args:
        teacher_knows_speaker: the teacher was personalized, so that it may be followed for the speaker too.
    """
    seed, num_tokens = recipe.spec.seed, recipe.num_tokens
    transcribed = pack(recipe.speaker, "train", seed=seed, labelled=True, num_tokens=num_tokens)
    has_words = any(window.text for window in transcribed)
    speaker, speaker_validation = _with_validation(recipe, recipe.speaker, labelled=has_words)
    general, general_validation = _with_validation(recipe, recipe.general, labelled=False)

    def fitted(windows: list[Window]) -> list[Window]:
        return pack_fitted(windows, seed=seed, num_tokens=num_tokens)

    return Mixture(
        speaker,
        general,
        [*speaker_validation, *fitted(speaker_validation)],
        [*general_validation, *fitted(general_validation)],
        [NonspeechWindow(sound) for sound in nonspeech(NUM_NONSPEECH, seed)],
        speaker_fitted=fitted(speaker),
        general_fitted=fitted(general),
        teacher_knows_speaker=teacher_knows_speaker,
    )


def _with_validation(recipe: Recipe, corpus: Corpus | None, *, labelled: bool) -> tuple[list[Window], list[Window]]:
    """Return windows to learn from and windows to judge by: the valid split, or a tenth of what there is."""
    if corpus is None:
        return [], []
    learnt, validation = (
        pack(corpus, split, seed=recipe.spec.seed, labelled=labelled, num_tokens=recipe.num_tokens)
        for split in ("train", "valid")
    )
    if not validation:
        count = num_validation(len(learnt))
        # The last ones: the layer-wise phase takes the first, and so does calibration where it does not take all.
        learnt, validation = learnt[: len(learnt) - count], learnt[len(learnt) - count :]
    return learnt, validation[:MAX_WINDOWS]
