"""The windows that a recipe's models learn from end to end, and those that judge them while they learn."""

from adaptwin_core.domain.held_back import MAX_WINDOWS, num_held_back
from adaptwin_core.ml.model.windows import Window, WordlessWindow, pack, pack_short
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.training.mixture import Mixture
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.nonspeech import nonspeech

NUM_WORDLESS = 10  # made up, to learn silence from


def mixture_of(recipe: Recipe, *, teacher_knows_speaker: bool) -> Mixture:
    """Return the windows that are learnt from end to end, and those that judge it.

    With transcripts, only they are learnt from; without any, the base model's own words are.

    Args:
        teacher_knows_speaker: the teacher was personalized, so that it may be followed for the speaker too.
    """
    seed, num_tokens = recipe.spec.seed, recipe.num_tokens
    transcribed = pack(recipe.speaker, "train", seed=seed, labelled=True, num_tokens=num_tokens)
    has_words = any(window.text for window in transcribed)
    speaker, speaker_held_back = _held_back(recipe, recipe.speaker, labelled=has_words)
    general, general_held_back = _held_back(recipe, recipe.general, labelled=False)
    return Mixture(
        speaker,
        general,
        speaker_held_back,
        general_held_back,
        [WordlessWindow(sound) for sound in nonspeech(NUM_WORDLESS, seed)],
        speaker_short=pack_short(speaker, seed=seed, num_tokens=num_tokens),
        general_short=pack_short(general, seed=seed, num_tokens=num_tokens),
        teacher_knows_speaker=teacher_knows_speaker,
    )


def _held_back(recipe: Recipe, corpus: Corpus | None, *, labelled: bool) -> tuple[list[Window], list[Window]]:
    """Return windows to learn from and windows to judge by: the valid split, or a tenth of what there is."""
    if corpus is None:
        return [], []
    learnt, held_back = (
        pack(corpus, split, seed=recipe.spec.seed, labelled=labelled, num_tokens=recipe.num_tokens)
        for split in ("train", "valid")
    )
    if not held_back:
        count = num_held_back(len(learnt))
        # The last ones: the layer-wise phase takes the first, and so does calibration where it does not take all.
        learnt, held_back = learnt[: len(learnt) - count], learnt[len(learnt) - count :]
    return learnt, held_back[:MAX_WINDOWS]
