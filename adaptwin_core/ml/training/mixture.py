"""The mixture of windows that training end to end draws from, and how much each term of the loss counts in each."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.model.windows import NonspeechWindow, Window


@dataclass(frozen=True)
class LossWeights:
    """The weights w of the loss that loop.py gives.

    Attributes:
        encoder: of the relative error of the encoder's output against the teacher's.
        kl: of the divergence of the next token's distribution from the teacher's.
        ce: of the cross-entropy on the transcript.
    """

    encoder: float
    kl: float
    ce: float


# Where the speaker's transcripts are known they teach. The original may mishear, so its distribution is not followed.
SPEAKER_WEIGHTS = LossWeights(encoder=0.1, kl=0.0, ce=1.0)
# Without transcripts the original's own words are the labels, and its distribution tells how sure it is of them.
UNTRANSCRIBED_WEIGHTS = LossWeights(encoder=0.3, kl=0.3, ce=1.0)
# A teacher that transcribes well is followed closely: for general speech, and for the speaker once it has learnt them.
FOLLOWED_WEIGHTS = LossWeights(encoder=2.0, kl=1.0, ce=0.5)
# On noise the original repeats itself endlessly. It is followed less closely there: the empty transcript teaches.
NONSPEECH_WEIGHTS = LossWeights(encoder=0.3, kl=0.3, ce=1.0)
NONSPEECH_SHARE = 0.06  # of all windows that are trained on
# The share of fitted windows among those with speech. A fitted one takes far less time, and teaches the model to hear
# without the silence that fills up whole windows. A whole one holds several times the speech.
FITTED_SHARE = 0.5

AnyWindow = Window | NonspeechWindow


@dataclass(frozen=True)
class Mixture:
    """The windows to train on, by kind, and those for validation.

    Attributes:
        speaker, general: whole windows of the speaker and of other speakers.
        speaker_validation, general_validation: windows that are never trained on, whole and fitted.
        nonspeech: windows in which nobody speaks.
        speaker_fitted, general_fitted: the clips of `speaker` and `general` again, in fitted windows.
        teacher_knows_speaker: whether the teacher has been trained on the speaker.
    """

    speaker: Sequence[Window]
    general: Sequence[Window]
    speaker_validation: Sequence[Window] = ()
    general_validation: Sequence[Window] = ()
    nonspeech: Sequence[NonspeechWindow] = ()
    speaker_fitted: Sequence[Window] = ()
    general_fitted: Sequence[Window] = ()
    teacher_knows_speaker: bool = False

    def order(self, spec: CompressionSpec, num_steps: int) -> list[tuple[AnyWindow, LossWeights]]:
        """Return the windows of a run in order: each kind is drawn at its share, and reshuffled when it is used up."""
        rng = random.Random(spec.seed)  # noqa: S311  # an order, not a secret
        nonspeech = NONSPEECH_SHARE if self.nonspeech else 0.0
        general = spec.general_share * (1 - nonspeech) if self.general else 0.0
        kinds: list[tuple[Sequence[AnyWindow], LossWeights, float]] = [(self.nonspeech, NONSPEECH_WEIGHTS, nonspeech)]
        for whole, fitted, weights, share in (
            (self.speaker, self.speaker_fitted, self._speaker_weights, 1 - general - nonspeech),
            (self.general, self.general_fitted, FOLLOWED_WEIGHTS, general),
        ):
            of_fitted = FITTED_SHARE if fitted else 0.0
            kinds += [(whole, weights, share * (1 - of_fitted)), (fitted, weights, share * of_fitted)]
        shares = [share for _, _, share in kinds]
        drawn = rng.choices(range(len(kinds)), shares, k=num_steps * spec.tune_batch)
        decks: list[list[AnyWindow]] = [[] for _ in kinds]
        order = []
        for kind in drawn:
            windows, weights, _ = kinds[kind]
            if not decks[kind]:
                decks[kind] = rng.sample(windows, len(windows))
            order.append((decks[kind].pop(), weights))
        return order

    def validation(self) -> list[tuple[Sequence[Window], LossWeights]]:
        """Return the validation windows of each kind of speech that has any."""
        kinds = ((self.speaker_validation, self._speaker_weights), (self.general_validation, FOLLOWED_WEIGHTS))
        return [(windows, weights) for windows, weights in kinds if windows]

    @property
    def _speaker_weights(self) -> LossWeights:
        if self.teacher_knows_speaker:
            return FOLLOWED_WEIGHTS
        is_transcribed = all(window.has_text for window in self.speaker)
        return SPEAKER_WEIGHTS if is_transcribed else UNTRANSCRIBED_WEIGHTS
