"""What is learnt from end to end: windows in their order, and what counts in each."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.model.windows import Window, WordlessWindow


@dataclass(frozen=True)
class LossWeights:
    """`encoder`: of the encoder's relative error; `kl`: of the divergence from the teacher's words; `ce`: of the
    transcript's cross-entropy.
    """

    encoder: float
    kl: float
    ce: float


# What the speaker said is known: an original that mishears it has no words to teach.
SPEAKER_WEIGHTS = LossWeights(encoder=0.1, kl=0.0, ce=1.0)
# Without transcripts the original's own words are asked for, and how sure it is of them tells more.
UNTRANSCRIBED_WEIGHTS = LossWeights(encoder=0.3, kl=0.3, ce=1.0)
# Where the teacher hears well it is followed: for others, and for the speaker once it has learnt them.
FOLLOWED_WEIGHTS = LossWeights(encoder=2.0, kl=1.0, ce=0.5)
# The original goes round in circles on noise: it is followed where it says that nobody speaks, not in its words.
WORDLESS_WEIGHTS = LossWeights(encoder=0.3, kl=0.3, ce=1.0)
WORDLESS_SHARE = 0.06  # of all windows that are learnt from
# Of the windows with speech: a short one takes far less time, but a whole one holds several times the speech, and keeps
# what the model says in the silence after a single clip, which is most of what it is shown in use.
SHORT_SHARE = 0.25

AnyWindow = Window | WordlessWindow


@dataclass(frozen=True)
class Mixture:
    """Windows to learn from, windows held back to judge by, and the clips of the first in short windows."""

    speaker: Sequence[Window]
    general: Sequence[Window]
    speaker_held_back: Sequence[Window] = ()
    general_held_back: Sequence[Window] = ()
    wordless: Sequence[WordlessWindow] = ()
    speaker_short: Sequence[Window] = ()
    general_short: Sequence[Window] = ()
    teacher_knows_speaker: bool = False

    def order(self, spec: CompressionSpec, num_steps: int) -> list[tuple[AnyWindow, LossWeights]]:
        """Return every window of the run: each kind at its share, shuffled anew when it is used up."""
        rng = random.Random(spec.seed)  # noqa: S311  # an order, not a secret
        wordless = WORDLESS_SHARE if self.wordless else 0.0
        general = spec.general_share * (1 - wordless) if self.general else 0.0
        kinds: list[tuple[Sequence[AnyWindow], LossWeights, float]] = [(self.wordless, WORDLESS_WEIGHTS, wordless)]
        for whole, short, weights, share in (
            (self.speaker, self.speaker_short, self._speaker_weights, 1 - general - wordless),
            (self.general, self.general_short, FOLLOWED_WEIGHTS, general),
        ):
            of_short = SHORT_SHARE if short else 0.0
            kinds += [(whole, weights, share * (1 - of_short)), (short, weights, share * of_short)]
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

    def held_back(self) -> list[tuple[Sequence[Window], LossWeights]]:
        """Return the windows to judge by, of each kind that has any."""
        kinds = ((self.speaker_held_back, self._speaker_weights), (self.general_held_back, FOLLOWED_WEIGHTS))
        return [(windows, weights) for windows, weights in kinds if windows]

    @property
    def _speaker_weights(self) -> LossWeights:
        if self.teacher_knows_speaker:
            return FOLLOWED_WEIGHTS
        is_transcribed = all(window.has_text for window in self.speaker)
        return SPEAKER_WEIGHTS if is_transcribed else UNTRANSCRIBED_WEIGHTS
