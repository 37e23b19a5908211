"""Subtitles in the two forms that players read: SubRip (srt) and WebVTT."""

import re
from collections.abc import Sequence

from adaptwin_core.domain.transcription import Segment

# Outside of a cue's text, an arrow is what parts its times.
_ARROW = re.compile("-->")


def srt(segments: Sequence[Segment]) -> str:
    """Return segments as SubRip: numbered, with a comma before the milliseconds."""
    return "".join(
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{_line(cue.text)}\n\n"
        for number, cue in enumerate(segments, 1)
    )


def vtt(segments: Sequence[Segment]) -> str:
    """Return segments as WebVTT (https://www.w3.org/TR/webvtt1/). Its text has `&` and `<` as entities."""
    cues = "".join(
        f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n{_escaped(_line(cue.text))}\n\n" for cue in segments
    )
    return f"WEBVTT\n\n{cues}"


def _time(seconds: float, point: str) -> str:
    """Return `HH:MM:SS,mmm`, with that character before the milliseconds."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, whole = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{whole:02d}{point}{milliseconds:03d}"


def _line(text: str) -> str:
    """Return the text in one line, for an empty line would end the cue, without the arrow that parts times."""
    return _ARROW.sub("->", " ".join(text.split()))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
