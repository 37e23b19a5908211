"""The words of reports for kinds of windows and of written forms. Nothing heavy is imported here."""

from typing import Final

from adaptwin_core.domain.audio import FITTED_MARGIN_S
from adaptwin_core.domain.task_keys import WindowKind

WRITTEN_KINDS: Final = ("numbers", "capitals", "punctuation")
FITTED_IN_WORDS: Final = f"windows that end {FITTED_MARGIN_S:g} s after the speech"
IN_WORDS: Final = {WindowKind.FITTED: FITTED_IN_WORDS, WindowKind.WHOLE: "whole windows"}
