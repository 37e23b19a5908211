"""Text with times is taught as words without them, or refused; never its times."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.timed_text import read_timed
from tests.unit.speech.texts import read

ONE, TWO = "Hello there.", "How are you? At 10:30 I left."
WORDS = f"{ONE} {TWO}"

# ONE and TWO stand for the words; | ends a line.
_FORMS = {
    "srt": "1|00:00:00,000 --> 00:00:01,500|ONE||2|00:00:01,500 --> 00:00:03,000|How are you?|At 10:30 I left.|",
    "srt without numbers": "00:00:00,000 --> 00:00:01,500|ONE||00:00:01,500 --> 00:00:03,000|TWO|",
    "srt without empty lines": "1|00:00:00,000 --> 00:00:01,500|ONE|2|00:00:01,500 --> 00:00:03,000|TWO",
    "srt with tags": "1|00:00:00,000 --> 00:00:01,500|{\\an8}<i>ONE</i>||2|00:00:01,500 --> 00:00:03,000|"
    "- How are you?|- At 10:30 I left.|",
    "srt with an empty line in a cue": "1|00:00:00,000 --> 00:00:01,500|ONE||How are you?||2|"
    "00:00:01,500 --> 00:00:03,000|At 10:30 I left.|",
    "vtt": "WEBVTT||00:00.000 --> 00:01.500|ONE||00:01.500 --> 00:03.000|TWO|",
    "vtt with all it may have": "WEBVTT - a title|Kind: captions|Language: en||STYLE|::cue { color: red }||NOTE not|"
    "spoken||intro|00:00.000 --> 00:01.500 align:start position:0%|<v Anna>ONE</v>||NOTE nor this||2|"
    "00:01.500 --> 00:03.000|How are &#121;ou? <c.red>At</c> 10:30 I left.|",
    "rolling vtt of automatic captions": "WEBVTT||00:00.000 --> 00:01.500| |Hello<00:00:00.400><c> there.</c>||"
    "00:01.500 --> 00:01.510|ONE| ||00:01.510 --> 00:03.000|ONE|How<00:00:01.700><c> are</c><c> you?</c>||"
    "00:03.000 --> 00:04.000|How are you?|At<00:00:03.200><c> 10:30 I left.</c>|",
    "audacity": "0.000000\t1.500000\tONE|1.500000\t3.000000\tTWO|",
    "audacity with decimal commas": "0,000000\t1,500000\tONE|1,500000\t3,000000\tTWO|",
    "audacity with frequencies": "0.000000\t1.500000\tONE|\\\t100.0\t2000.0|1.500000\t3.000000\tTWO|",
    "labels parted by spaces": "0.00 1.50 ONE|1.50 3.00 TWO|",
    "timit": "0 46797 ONE TWO|",
    "whisper": "[00:00.000 --> 00:01.500]  ONE|[00:01.500 --> 00:03.000]  TWO|",
    "whisper.cpp": "|[00:00:00.000 --> 00:00:01.500]   ONE|[00:00:01.500 --> 00:00:03.000]   TWO|",
    "lyrics": "[ti:Title]|[ar:Someone]|[00:00.00]ONE|[00:01.50]TWO|",
    "lyrics in minutes": "[00:00] ONE|[00:01] TWO|",
    "lyrics of words": "[00:00.00] <00:00.00> Hello <00:00.50> there.|[00:01.50] TWO|",
    "times in brackets": "(00:00:00) ONE|(00:00:01) TWO|",
    "copied from a video page": "0:00|ONE|0:01|TWO|",
    "time first": "0:00 ONE|0:01 TWO|",
    "speakers": "[00:00.000 --> 00:01.500] [SPEAKER_00]: ONE|[00:01.500 --> 00:03.000] SPEAKER_00: TWO|",
    "speaker and time": "Anna Smith  0:00|ONE||Anna Smith  0:01|TWO|",
    "sounds": "[00:00.000 --> 00:01.500] [music] ONE|[00:01.500 --> 00:02.000] (laughter)|"
    "[00:02.000 --> 00:03.000] TWO \u266a|",
}
FORMS = {name: form.replace("|", "\n").replace("ONE", ONE).replace("TWO", TWO) for name, form in _FORMS.items()}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("form", FORMS)
def test_forms_are_read_without_times(form: str, end: str) -> None:
    assert read_timed(FORMS[form].replace("\n", end)) == WORDS
    found = read({"talk.txt": FORMS[form].replace("\n", end)}, ["talk.wav"])
    assert found.text("talk.wav") == WORDS
    assert "without" in found.notes["timed_text"]


@pytest.mark.parametrize("language", ["祖父は台所に。", "мы шли вдоль реки", "मेरे दादाजी", "كان جدي"])
@pytest.mark.parametrize("suffix", ["srt", "vtt"])
def test_subtitles_beside_a_recording(suffix: str, language: str) -> None:
    head = "WEBVTT\n\n" if suffix == "vtt" else "1\n"
    found = read({f"a/talk.{suffix}": f"{head}00:00:00.000 --> 00:00:02.000\n{language}\n"}, ["a/talk.m4a"])
    assert found.text("a/talk.m4a") == language


PLAIN = [
    "It is 10:30 now.",
    "10:30 is when the train leaves.",
    "0 1 2 3 4 5",
    "3 4 5 6",
    "1.5 2.5 and so on",
    "Twenty - thirty",
    "[laughs] Hello",
    "At 10:30\nwe left",
    "1\n2\n3",
    "Chapter 1\nIt was dark.",
    "3:15",
    "The score was 3:15 at half time and 4:20 at the end",
    "a -> b",
    "Note: this is said",
]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_with_numbers_stays_as_it_is(text: str) -> None:
    assert read_timed(text) is None
    assert read({"a.txt": text}, ["a.wav"]).text("a.wav") == " ".join(text.split())


HALF = {
    "words before the first cue": "Hello\n\n1\n00:00:00,000 --> 00:00:01,500\nthere\n",
    "a time that is none": "1\n00:00:00,000 --> 00:00:01,500\nHello\n\n2\n00:00:xx,000 --> 00:00:03,000\nthere\n",
    "an arrow alone": "Hello --> there\n",
    "lines without brackets": "[00:00.000 --> 00:01.500] Hello\nthere\n[00:02.000 --> 00:03.000] again\n",
    "labels and other lines": "0.0\t1.5\tHello\nthere\n1.5\t3.0\tagain\n",
    "times and no words": "1\n00:00:00,000 --> 00:00:01,500\n\n2\n00:00:01,500 --> 00:00:03,000\n[music]\n",
    "vtt with loose words": "WEBVTT\n\n00:00.000 --> 00:01.500\nHello\n\nthere\n",
    "precise times within": "Hello 00:00:01,500 there 00:00:03,000\n",
}


@pytest.mark.parametrize("case", HALF)
def test_what_is_half_timed_is_refused_and_never_taught(case: str) -> None:
    found = read({"a.txt": HALF[case]}, ["a.wav"])
    assert not found.lines
    assert found.rejects == {"a.txt": "timed_text"}


@pytest.mark.parametrize("name", ["a.srt", "a.vtt", "a.lrc"])
def test_subtitles_without_cues_are_refused(name: str) -> None:
    assert read({name: "only words"}, ["a.wav"]).rejects == {name: "timed_text"}


@pytest.mark.parametrize(
    "line", ["[" * 99, " " * 99, "00:00 --> 00:01 " + "a:" * 99, "( " * 50, "<" * 99, "1 " * 50, "{\\" * 50, ". " * 50]
)
def test_time_grows_with_length_only(line: str) -> None:
    start = time.perf_counter()
    for text in (line * 5000, (line + "\n") * 5000):
        with contextlib.suppress(InvalidAudio):
            read_timed(text)
    assert time.perf_counter() - start < 10


@given(st.lists(st.sampled_from([*"".join(FORMS.values()).split("\n"), "x", "", "-->", "WEBVTT"]), max_size=8))
def test_no_time_is_ever_taught(lines: list[str]) -> None:
    with contextlib.suppress(InvalidAudio):
        words = read_timed("\n".join(lines)) or ""
        assert "-->" not in words
        assert "00:00:0" not in words
