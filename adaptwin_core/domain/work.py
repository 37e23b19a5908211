"""How much work each task of a job is: multiplications of matrices, which a worker does at a steady rate.

The counts are rough. They keep what drives a task's time: windows, steps, clips, and the size of the model. What one
stage has more than another (float64, backward passes, Python) is in the stage's rate: `estimate.py`.

Letters: T encoder positions, L tokens, D width, F neurons, V vocabulary.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

from adaptwin_core.domain import budgets
from adaptwin_core.domain.audio import FITTED_MARGIN_S, WINDOW_S
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.plan import TOKENS_A_WINDOW
from adaptwin_core.domain.sensitivity import sizes_of
from adaptwin_core.domain.shape import BlockId, Half, ModelShape, blocks_of
from adaptwin_core.domain.spec import SEARCHED_CUTS
from adaptwin_core.domain.stages import Outline, Stage
from adaptwin_core.domain.task_keys import (
    Contender,
    EvaluationKey,
    JudgedSplit,
    ShardKey,
    SpeechKind,
    TaskKey,
    WindowKind,
)
from adaptwin_core.domain.validation import MAX_WINDOWS
from adaptwin_core.domain.vocabulary import smallest_shape

FILLED_S: Final = 21.0  # of speech in a whole window, in the middle
FITTED_S: Final = 5.0  # in a fitted one
FITTED_WINDOW_S: Final = 6.0  # how long a fitted window is
NUM_CHECKS: Final = 4  # about how often a training is judged on validation windows, the start not counted
BACKWARD: Final = {"adapters": 1.2, "factors": 2.0}  # passes as long as the forward one
ONE_BY_ONE: Final = 20  # times the work of a token among many: each token alone reads all weights
TOKENS_A_SECOND: Final = 3.5
TOKENS_A_CLIP: Final = 5  # prompt and end
# Clips of each kind of speech that both models transcribe. The speaker's are enough for an interval of about a point;
# general ones only show what was forgotten.
MAX_TEST_CLIPS: Final = {SpeechKind.SPEAKER: 200, SpeechKind.GENERAL: 48}
MAX_SEARCH_CLIPS: Final = 60  # that a trial transcribes
SEARCH_TRIALS: Final = 3
SEARCH_DIVISOR: Final = 4  # one in so many of the steps after the cut, in a trial
RUN_ON: Final = 12  # sizes of a block that are run to the end of its half
SOLVING: Final = 12  # times F³: the equations of one number of neurons, in float64
CUTTING: Final = 6  # times F³: the cut of one block
CHOOSING: Final = 5  # times `ONCE`: the models of a job are loaded, and timed on an utterance
ONCE: Final = 1e9  # what a task takes that loads no model


@dataclass(frozen=True)
class Heard:
    """What the time of a job depends on in one kind of speech."""

    train_s: float
    valid_s: float
    test_s: float
    num_test: int
    num_valid: int

    @classmethod
    def of(cls, report: DatasetReport) -> Self:
        """Read the figures of a dataset. Reports of older versions count no clips of a split: all are taken as long."""
        clip_s = report.seconds / report.clips if report.clips else WINDOW_S

        def seconds(split: Any) -> float:
            return report.splits.get(split, 0.0)

        def clips(split: Any) -> int:
            return report.parts[split].clips if split in report.parts else round(seconds(split) / clip_s)

        return cls(seconds("train"), seconds("valid"), seconds("test"), clips("test"), clips("valid"))

    @property
    def num_windows(self) -> int:
        return max(1, round(self.train_s / FILLED_S)) if self.train_s > 0 else 0


def encoder_work(shape: ModelShape, seconds: float) -> float:
    """Return the multiplications of the encoder for a window so long: T·(4D² + 2DF) + 2T²D in each layer."""
    d, f = shape.d_model, shape.encoder_ffn
    t = shape.max_source_positions * min(seconds, WINDOW_S) / WINDOW_S
    before = t * (6 * shape.num_mel_bins * d + 3 * d * d)
    return before + shape.encoder_layers * (t * (4 * d * d + 2 * d * f) + 2 * t * t * d)


def decoder_work(shape: ModelShape, tokens: float, seconds: float) -> float:
    """Return the multiplications of the decoder for so many tokens at once, with the vocabulary: L·V·D."""
    d, f = shape.d_model, shape.decoder_ffn
    t = shape.max_source_positions * min(seconds, WINDOW_S) / WINDOW_S
    layer = tokens * (6 * d * d + 2 * d * f) + 2 * t * d * d + 2 * d * tokens * (tokens + t)
    return shape.decoder_layers * layer + tokens * shape.vocab_size * d


def model_work(shape: ModelShape, seconds: float, kept: dict[Half, float] | None = None) -> float:
    """Return the work of one pass over a window of speech.

    Args:
        kept: the share of each half that a cut leaves.
    """
    kept = kept or {}
    tokens = TOKENS_A_WINDOW * seconds / WINDOW_S
    return kept.get("encoder", 1.0) * encoder_work(shape, seconds) + kept.get("decoder", 1.0) * decoder_work(
        shape, tokens, seconds
    )


@dataclass(frozen=True)
class JobWork:
    """The work of every task of one model, from its outline and the speech."""

    outline: Outline
    base: str  # names the base model
    speaker: Heard
    general: Heard | None

    def of(self, stage: Stage, key: TaskKey) -> float:
        """Return the multiplications of one task."""
        return _WORK[stage](self, key)

    @cached_property
    def shape(self) -> ModelShape:
        return smallest_shape(self.outline.spec, self.outline.shape)

    @cached_property
    def kept(self) -> dict[Half, float]:
        """The share of each half that the cut leaves; of a cut that is searched for, the middle one's."""
        spec = self.outline.spec
        if spec.max_wer is not None:
            return {"encoder": 1 - SEARCHED_CUTS[len(SEARCHED_CUTS) // 2]}
        num_dropped = self.outline.shape.vocab_size - self.shape.vocab_size
        return {half: 1 - cut for half, cut in budgets.cuts_of(spec, self.shape, num_dropped=num_dropped).items()}

    @property
    def heard(self) -> list[Heard]:
        return [self.speaker, *([self.general] if self.general is not None else [])]

    def training(self, num_steps: int, kept: dict[Half, float]) -> float:
        """Return the work of training end to end: steps on whole and on fitted windows in turns, the teacher once on
        every window, always whole, and the checks.
        """
        spec = self.outline.spec
        if num_steps == 0:
            return 0.0
        num_windows = num_steps * spec.tune_batch
        whole, fitted = (model_work(self.shape, seconds, kept) for seconds in (WINDOW_S, FITTED_WINDOW_S))
        validated_s = [min(MAX_WINDOWS * FILLED_S, one.valid_s or one.train_s / 10) for one in self.heard]
        num_whole, num_fitted = (sum(seconds / filled for seconds in validated_s) for filled in (FILLED_S, FITTED_S))
        different = sum(one.num_windows * (1 + FILLED_S / FITTED_S) for one in self.heard)
        taught = min(num_windows, different) + num_whole + num_fitted
        steps = num_windows * (1 + BACKWARD[spec.tune_method]) * (whole + fitted) / 2
        return (
            steps
            + taught * model_work(self.shape, WINDOW_S)
            + (NUM_CHECKS + 1) * (num_whole * whole + num_fitted * fitted)
        )

    def personalize(self, _key: TaskKey) -> float:
        return self.training(self.outline.spec.personal_steps, {})

    def calibrate(self, key: ShardKey) -> float:
        shape, most = self.shape, self.outline.spec.calibration_windows
        d, t = shape.d_model, shape.max_source_positions
        moments = shape.encoder_layers * t * (shape.encoder_ffn**2 + 6 * d * d)
        num_windows = sum(min(most, one.num_windows) for one in self.heard) / key.count
        return num_windows * (model_work(shape, WINDOW_S) + moments)

    def weigh(self, block: BlockId) -> float:
        sizes, one = sizes_of(self.shape, block), self.block_work(block)
        blocks = blocks_of(self.shape, block.half)
        later = sum(self.block_work(other) for other in blocks[blocks.index(block) + 1 :])
        num_solved = sum(part == "neurons" for part, _ in sizes)
        num_windows = len(self.heard)
        solving = SOLVING * num_solved * self.shape.ffn(block.half) ** 3
        return num_windows * (len(sizes) * one + RUN_ON * later) + solving

    def factorize(self, block: BlockId) -> float:
        return self.cut(block) + self.outline.spec.layer_steps * 3 * self.block_work(block)

    def cut(self, block: BlockId) -> float:
        size = self.shape.ffn(block.half) if block.has_ff else self.shape.d_model
        return CUTTING * size**3 + 2 * self.outline.spec.layer_windows * self.block_work(block)

    def block_work(self, block: BlockId) -> float:
        shape = self.shape
        if block.half == "encoder":
            return encoder_work(shape, WINDOW_S) / shape.encoder_layers
        return decoder_work(shape.with_tokens(1), TOKENS_A_WINDOW, WINDOW_S) / (2 * shape.decoder_layers)

    def search(self, _key: TaskKey) -> float:
        spec = self.outline.spec
        steps = -(-spec.tune_steps // SEARCH_DIVISOR)
        blocks = blocks_of(self.shape, "encoder")
        num_clips = min(MAX_SEARCH_CLIPS, self.speaker.num_valid or round(self.speaker.valid_s / FITTED_S))
        clip_s = self.speaker.valid_s / max(1, self.speaker.num_valid)
        heard = sum(num_clips * self.clip(clip_s, window, self.kept) for window in WindowKind)
        return SEARCH_TRIALS * (sum(map(self.cut, blocks)) + self.training(steps, self.kept) + heard)

    def tune(self, _key: TaskKey) -> float:
        spec = self.outline.spec
        work = self.training(spec.tune_steps, self.kept) if spec.is_cut else 0.0
        if spec.weights == "int4":
            work += self.training(spec.scale_steps, self.kept)
        return work + ONCE

    def evaluate(self, key: EvaluationKey) -> float:
        heard = self.speaker if key.speech is SpeechKind.SPEAKER else self.general
        if heard is None:
            return ONCE
        is_test = key.split is JudgedSplit.TEST
        seconds, num_all = (heard.test_s, heard.num_test) if is_test else (heard.valid_s, heard.num_valid)
        if num_all == 0:
            return ONCE
        num_clips = min(MAX_TEST_CLIPS[key.speech], num_all)
        kept: dict[Half, float] = {} if key.model is Contender.BASE else self.kept
        return num_clips * self.clip(seconds / num_all, key.window, kept)

    def clip(self, seconds: float, window: WindowKind, kept: dict[Half, float]) -> float:
        """Return the work of transcribing one clip, a token at a time."""
        window_s = WINDOW_S if window is WindowKind.WHOLE else seconds + FITTED_MARGIN_S
        tokens = TOKENS_A_CLIP + TOKENS_A_SECOND * seconds
        told = ONE_BY_ONE * decoder_work(self.shape, tokens, 0.0)
        return kept.get("encoder", 1.0) * encoder_work(self.shape, window_s) + kept.get("decoder", 1.0) * told

    def choose(self, _key: TaskKey) -> float:
        return CHOOSING * ONCE

    def once(self, _key: TaskKey) -> float:
        return ONCE


_WORK: Final[dict[Stage, Callable[[JobWork, Any], float]]] = {
    Stage.VOCABULARY: JobWork.once,
    Stage.PERSONALIZE: JobWork.personalize,
    Stage.CALIBRATE: JobWork.calibrate,
    Stage.WEIGH: JobWork.weigh,
    Stage.SEARCH: JobWork.search,
    Stage.FACTORIZE: JobWork.factorize,
    Stage.TUNE: JobWork.tune,
    Stage.EVALUATE: JobWork.evaluate,
    Stage.CHOOSE: JobWork.choose,
    Stage.PUBLISH: JobWork.once,
}
