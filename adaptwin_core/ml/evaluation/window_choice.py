"""Which windows a finished model is published with: fitted ones, unless it hears its speaker worse in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adaptwin_core.domain.audio import FITTED_MARGIN_S
from adaptwin_core.domain.task_keys import WindowKind
from adaptwin_core.domain.units import Unit
from adaptwin_core.ml.evaluation.scoring import Score
from adaptwin_core.ml.evaluation.tolerance import TOLERATED, is_tolerated

FITTED_IN_WORDS = f"windows that end {FITTED_MARGIN_S:g} s after the speech"
IN_WORDS = {WindowKind.FITTED: FITTED_IN_WORDS, WindowKind.WHOLE: "whole windows"}


@dataclass(frozen=True)
class WindowChoice:
    """The kind of window, and the reason as a sentence."""

    window: WindowKind
    why: str

    def as_json(self) -> dict[str, Any]:
        """Return the choice in the form that a report has it."""
        return {"margin_s": self.window.margin_s, "why": self.why}


def choose_window(found: Mapping[WindowKind, Mapping[str, Any]] | None) -> WindowChoice:
    """Choose by the held-out clips of the speaker.

    Args:
        found: of each kind of window, what `comparison.compare` says; None where nobody says a word in the clips.
    """
    if found is None:
        return WindowChoice(
            WindowKind.WHOLE,
            f"No held-out speech of this speaker holds words that could show whether {FITTED_IN_WORDS} are as good.",
        )
    fitted, whole = (found[window]["compressed"] for window in (WindowKind.FITTED, WindowKind.WHOLE))
    if _window_for(_num_errors(fitted), _num_errors(whole), fitted["num_units"]) is WindowKind.FITTED:
        return WindowChoice(
            WindowKind.FITTED, f"On this speaker they are at most {TOLERATED} worse than whole windows."
        )
    more = 100 * (fitted["error_rate"] - whole["error_rate"])
    rate = Unit(found[WindowKind.FITTED]["unit"]).rate
    return WindowChoice(
        WindowKind.WHOLE,
        f"In {FITTED_IN_WORDS} this speaker's {rate} is {more:.1f} points higher, and at most {TOLERATED} is "
        "accepted. To make them as good, send more speech or train for more steps (personal_steps, and tune_steps "
        "where the model is cut).",
    )


def published_window(fitted: Score, whole: Score) -> WindowKind:
    """Choose by the scores of both kinds of windows on the same clips."""
    return _window_for(fitted.num_errors, whole.num_errors, fitted.num_units)


def _window_for(fitted_errors: int, whole_errors: int, num_units: int) -> WindowKind:
    return WindowKind.FITTED if is_tolerated(fitted_errors - whole_errors, num_units) else WindowKind.WHOLE


def _num_errors(scored: Mapping[str, Any]) -> int:
    """Return the errors of a score of a report, of all three kinds."""
    return int(scored["substitutions"] + scored["deletions"] + scored["insertions"])
