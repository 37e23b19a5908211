"""Text with times is taught as words without them, or refused; never its times."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.texts.timed_text import read_timed
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
    "speakers' names": "[00:00:00] Anna: ONE|[00:00:07] Bert Meier: TWO|",
    "a speaker who comes back": "0:00\tAnna: ONE|0:05\tAnna: How are you?|0:07\tAt 10:30 I left.|",
    "times in numbers and in words": "0:00|0 Sekunden|ONE|1:07|1 minute, 7 seconds|TWO|",
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
    "Um 0:15 Uhr fährt der Zug ab, und um 6:30 Uhr kommt er an.",
    "El partido terminó 2:1 y el siguiente 0:0.",
    "1,5 - 2,5 Prozent sind viel.",
    "Genesis 1:3, then Psalm 23:1",
    "It costs [about] 3 - 5 (or 6) euros",
    "MP3 is a format.",
    "A B C D E F",
]

# Of forms that are not read: each is refused, and nothing of it is taught.
UNREAD = {
    "speakers with times in brackets": "Anna (00:00):|ONE||Bert (00:07):|TWO",
    "a speaker's line, then a time": "Speaker 1|00:00|ONE||Speaker 2|00:07|TWO",
    "a time and a speaker": "00:00:00 Sprecher 1|ONE|00:00:07 Sprecher 2|TWO",
    "a speaker, a colon and a time": "Speaker 1: 00:00 ONE||Speaker 2: 00:07 TWO",
    "a summary before it": "Note|Mon, Jan 5|SPEAKERS|Anna||Anna  0:00|ONE||Anna  0:07|TWO",
    "times behind the words": "ONE [00:05]|TWO [00:09]",
    "times between hashes": "ONE #00:00:05-1#|TWO #00:00:09-3#",
    "times within a line": "ONE 2:00 is late. 0:00 ONE 0:07 TWO",
    "frames": "00:00:00:00 - 00:00:05:12|Speaker 1|ONE",
    "seconds in brackets": "[0.00s -> 5.00s]  ONE|[5.00s -> 9.00s]  TWO",
    "seconds in brackets once": "[0.0 - 5.0] ONE",
    "seconds with a dash": "0.0s - 5.0s: ONE|5.0s - 9.0s: TWO",
    "seconds with commas": "0.00,5.00,ONE|5.00,9.00,TWO",
    "starts only": "0.00\tONE|5.00\tTWO",
    "minutes and seconds": "0分0秒 ONE|0分7秒 TWO",
    "hours, minutes and seconds": "00h00m00s ONE|00h00m07s TWO",
    "dates and times": "2024-05-01 10:00:00 ONE|2024-05-01 10:00:07 TWO",
    "ids and times": "talk 1 anna 0.00 5.00 <o,f0,female> ONE|talk 1 anna 5.00 9.00 <o,f0,female> TWO",
    "ids and times of one word": "talk 1 0.00 0.30 one 0.98",
    "a tier, times and words": "default\t\t0.0\t5.0\t5.0\tONE|default\t\t5.0\t9.0\t4.0\tTWO",
    "a table of times": "tmin\ttier\ttext\ttmax|0\twords\tONE\t5|5\twords\tTWO\t9",
    "a table of markers": "Name\tStart\tDuration\tType|ONE\t0:00.000\t0:05.000\tCue|TWO\t0:05.000\t0:04.000\tCue",
    "frames in braces": "{0}{125}ONE|{125}{225}TWO",
    "TextGrid": 'File type = "ooTextFile"|Object class = "TextGrid"||xmin = 0|xmax = 9|text = "ONE"',
    "short TextGrid": 'File type = "ooTextFile"|Object class = "TextGrid"||0|9|<exists>|1|"words"|0|9|"ONE"',
    "XML": '<?xml version="1.0"?><tt><body><p begin="0s" end="5s">ONE</p></body></tt>',
    "HTML": "<p>ONE</p>|<p>TWO</p>",
    "rich text": "{\\rtf1\\ansi {\\fonttbl\\f0 Helvetica;}\\f0\\fs24 ONE}",
    "Python's words for a list": "[{'start': 0.0, 'end': 5.0, 'text': 'ONE'}]",
    "Python's words for an object": "{'text': 'ONE'}",
    "sounds": "sil DH AH0 K W IH1 K sil",
    "sounds with times": "0.0\t0.12\tsil|0.12\t0.3\tDH|0.3\t0.4\tAH0|0.4\t0.5\tK",
    "labels of synthesis": "0 1000000 x^sil-dh+ax=k@1_2|1000000 2300000 sil^dh-ax+k=w@1_2",
    "a link": "ONE|Transcribed by https://example.org",
}


@pytest.mark.parametrize("suffix", ["txt", "lab"])
@pytest.mark.parametrize("form", UNREAD)
def test_what_nobody_says_is_refused_and_never_taught(form: str, suffix: str) -> None:
    text = UNREAD[form].replace("|", "\n").replace("ONE", ONE).replace("TWO", TWO)
    found = read({f"a.{suffix}": text, "b.txt": ONE}, ["a.wav", "b.wav"])
    assert (found.text("a.wav"), found.text("b.wav")) == (None, ONE)
    assert found.rejects[f"a.{suffix}"] in {"timed_text", "transcript_form"}


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
    assert not found.annotations
    assert found.rejects == {"a.txt": "timed_text"}


@pytest.mark.parametrize("name", ["a.srt", "a.vtt", "a.lrc"])
def test_subtitles_without_cues_are_refused(name: str) -> None:
    assert read({name: "only words"}, ["a.wav"]).rejects == {name: "timed_text"}


@pytest.mark.parametrize(
    "line", ["[" * 99, " " * 99, "00:00 --> 00:01 " + "a:" * 99, "( " * 50, "<" * 99, "1 " * 50, "{\\" * 50, ". " * 50]
)
def test_time_grows_with_length_only(line: str) -> None:
    start = time.process_time()
    for text in (line * 5000, (line + "\n") * 5000):
        with contextlib.suppress(InvalidAudio):
            read_timed(text)
    assert time.process_time() - start < 10


@given(st.lists(st.sampled_from([*"".join(FORMS.values()).split("\n"), "x", "", "-->", "WEBVTT"]), max_size=8))
def test_no_time_is_ever_taught(lines: list[str]) -> None:
    with contextlib.suppress(InvalidAudio):
        words = read_timed("\n".join(lines)) or ""
        assert "-->" not in words
        assert "00:00:0" not in words
