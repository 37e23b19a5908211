"""Subtitles to the letter, as players read them."""

from adaptwin_core.domain.subtitles import srt, vtt
from adaptwin_core.domain.transcription import Segment


def segment(start: float, end: float, text: str) -> Segment:
    return Segment(
        start=start,
        end=end,
        text=text,
        words=(),
        tokens=(),
        mean_log_probability=-0.1,
        window_start=0.0,
        silence_probability=0.0,
    )


SPOKEN = [segment(0.0, 1.5, "Good morning."), segment(3661.0604, 3662.9996, "Salt & pepper <here>")]


def test_subrip_numbers_its_cues_and_writes_a_comma() -> None:
    assert srt(SPOKEN) == (
        "1\n00:00:00,000 --> 00:00:01,500\nGood morning.\n\n2\n01:01:01,060 --> 01:01:03,000\nSalt & pepper <here>\n\n"
    )


def test_webvtt_has_a_head_a_point_and_entities() -> None:
    assert vtt(SPOKEN) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nGood morning.\n\n"
        "01:01:01.060 --> 01:01:03.000\nSalt &amp; pepper &lt;here&gt;\n\n"
    )


def test_silence_has_no_cue() -> None:
    assert (srt([]), vtt([])) == ("", "WEBVTT\n\n")


def test_no_text_ends_its_cue_or_begins_another() -> None:
    cunning = [segment(0.0, 1.0, "one\n\n2\n00:00:05,000 --> 00:00:06,000\ntwo")]
    assert srt(cunning) == "1\n00:00:00,000 --> 00:00:01,000\none 2 00:00:05,000 -> 00:00:06,000 two\n\n"
    assert vtt(cunning).count("-->") == 1
