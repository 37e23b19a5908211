"""Reads the cues of SubRip and WebVTT."""

import re
from collections.abc import Sequence

from adaptwin_core.speech.texts.times import CLOCK, timed_text_refused

_ARROW = re.compile(rf"\s*{CLOCK}\s*-->\s*{CLOCK}(?:\s+\S{{1,40}}:\S{{1,40}})*\s*")
_BLOCK_TO_SKIP = re.compile(r"(?:WEBVTT|NOTE|STYLE|REGION)\b.*")


def read_cues(lines: Sequence[str]) -> list[str] | None:
    """Return the lines that cues show, without their times and numbers; None where there are no cues.

    Raises:
        InvalidAudio: timed_text: a time cannot be read, or there are words outside the cues.
    """
    first = next((line for line in lines if line.strip()), "")
    is_vtt = first.strip().startswith("WEBVTT")
    times = [i for i, line in enumerate(lines) if _ARROW.fullmatch(line)]
    if not times:
        return [] if is_vtt else None
    if broken := next((line for line in lines if "-->" in line and not _ARROW.fullmatch(line)), None):
        raise timed_text_refused(f"the time of a cue cannot be read: {broken.strip()[:60]}")
    begins = [_begin(lines, i, number, is_vtt=is_vtt) for number, i in enumerate(times, start=1)]
    _check_outside(lines[: begins[0]])
    shown: list[str] = []
    for i, end in zip(times, [*begins[1:], len(lines)], strict=True):
        cue = list(lines[i + 1 : end])
        if is_vtt:
            size = cue.index("") if "" in cue else len(cue)  # automatic captions have lines of a space
            _check_outside(cue[size:])
            cue = cue[:size]
        shown += [line for line in cue if line.strip()]
    return shown


def _begin(lines: Sequence[str], time: int, number: int, *, is_vtt: bool) -> int:
    """Return the line that a cue begins with: its number or name, or else its time."""
    before = lines[time - 1].strip() if time else ""
    stands_alone = time < 2 or not lines[time - 2].strip()
    is_its_name = before.isdigit() and (stands_alone or before == str(number))
    is_its_name |= is_vtt and stands_alone and bool(before) and not _BLOCK_TO_SKIP.fullmatch(before)
    return time - 1 if is_its_name else time


def _check_outside(lines: Sequence[str]) -> None:
    """Check that lines outside the cues are blocks of remarks or styles."""
    in_block = False
    for line in lines:
        stripped = line.strip()
        if not stripped:
            in_block = False
        elif not in_block:
            if not _BLOCK_TO_SKIP.fullmatch(stripped):
                raise timed_text_refused(f"there are words outside its cues: {stripped[:60]}")
            in_block = True
