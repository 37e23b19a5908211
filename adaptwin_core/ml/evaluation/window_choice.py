"""Which windows a finished model is published with: fitted ones, unless it hears its speaker worse in them."""

from dataclasses import dataclass
from typing import Any, Final

from adaptwin_core.domain.task_keys import WindowKind
from adaptwin_core.ml.evaluation.report_words import FITTED_IN_WORDS
from adaptwin_core.ml.evaluation.scoring import Difference, Score, difference
from adaptwin_core.ml.evaluation.tolerance import MOST_ERRORS, MOST_WORSE

MOST_WORSE_IF_UNSURE: Final = 0.01  # of the error rate


@dataclass(frozen=True)
class WindowChoice:
    """The kind of window, and the reason as a sentence."""

    window: WindowKind
    why: str

    def as_json(self) -> dict[str, Any]:
        """Return the choice in the form that a report has it."""
        return {"margin_s": self.window.margin_s, "why": self.why}


WITHOUT_WORDS: Final = WindowChoice(
    WindowKind.WHOLE,
    f"No held-out speech of this speaker holds words that could show whether {FITTED_IN_WORDS} are as good.",
)


def choose_window(fitted: Score, whole: Score) -> WindowChoice:
    """Choose by the scores of both kinds of windows on the same held-out clips of the speaker.

    A few hundred words cannot show a difference of 0.3 points: a model trained again differs by more. So fitted windows
    are refused if they are surely worse by more than that, or by more than a point on these clips.
    """
    apart = difference(fitted, whole)
    is_refused = fitted.num_errors - whole.num_errors > MOST_ERRORS and (
        apart.low > MOST_WORSE or apart.rate > MOST_WORSE_IF_UNSURE
    )
    found = f"In {FITTED_IN_WORDS} this speaker's {fitted.unit.rate} is {_in_words(apart)}."
    if not is_refused:
        return WindowChoice(WindowKind.FITTED, found)
    return WindowChoice(
        WindowKind.WHOLE,
        f"{found} They are refused if it is more than {100 * MOST_WORSE_IF_UNSURE:g} point higher, or surely more than "
        f"{100 * MOST_WORSE:g} points. To make them as good, send more speech or train for more steps "
        "(personal_steps, and tune_steps where the model is cut).",
    )


def _in_words(apart: Difference) -> str:
    points, low, high = (round(100 * rate, 1) + 0.0 for rate in (apart.rate, apart.low, apart.high))
    than = "the same as" if points == 0 else f"{abs(points):.1f} points {'higher' if points > 0 else 'lower'} than"
    return f"{than} in whole windows (95 % interval of the difference: {low:.1f} to {high:.1f})"
