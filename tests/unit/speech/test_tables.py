"""A damaged row costs itself, with its line number, and never another."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.speech.texts import read

AUDIO = [f"{name}.wav" for name in "abcd"]
GOOD = {"a.wav": "One, two", "b.wav": "Three", "c.wav": "Four", "d.wav": "Five"}

DAMAGE = {
    "unquoted comma": "b.wav,Three, no four",
    "unclosed quote": 'b.wav,"Three',
    "text after a closing quote": 'b.wav,"Three" more',
    "stray quote before a comma": 'b.wav,"Three, more',
    "line end in an unquoted text": "b.wav,Three\nmore",
    "no text": "b.wav",
    "no name": ",Three",
}


def rows_with(damaged: str, place: int) -> list[str]:
    rows = [f'{name},"{text}"' if "," in text else f"{name},{text}" for name, text in GOOD.items() if name != "b.wav"]
    return ["file_name,text", *rows[:place], damaged, *rows[place:]]


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_costs_one_row_and_is_told_with_its_line(kind: str, end: str, place: int) -> None:
    rows = rows_with(DAMAGE[kind], place)
    found = read({"set/metadata.csv": end.join("\n".join(rows).split("\n")) + end}, [f"set/{name}" for name in AUDIO])
    texts = {name.removeprefix("set/"): line.text for name, line in found.annotations.items()}
    assert texts == {name: text for name, text in GOOD.items() if name != "b.wav"}
    assert found.warnings["unreadable_row"][0] == f"set/metadata.csv, line {place + 2}"


@pytest.mark.parametrize("lead", ["", "\n", "\r\n\r\n", "\ufeff", "\ufeff\n \n", "sep=,\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
@pytest.mark.parametrize("last", ["", "\n", "\n\n\n"])
def test_line_ends_and_leading_lines_change_nothing(lead: str, end: str, last: str) -> None:
    rows = ["file_name,text", 'a.wav,"One, two"', "b.wav,Three", "c.wav,Four", "d.wav,Five"]
    found = read({"metadata.csv": lead + end.join(rows) + last}, AUDIO)
    assert {name: line.text for name, line in found.annotations.items()} == GOOD
    assert not found.warnings


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ('"Hello, ""you"""', 'Hello, "you"'),
        ('"Two\nlines, here"', "Two lines, here"),
        ('He said "no" twice', 'He said "no" twice'),
        (' "Spaced, quoted"', "Spaced, quoted"),
        ('"""Quoted"""', '"Quoted"'),
    ],
)
def test_quotes_that_fit_are_read(field: str, text: str) -> None:
    found = read({"t.csv": f"file,text\na.wav,{field}\nb.wav,Three\n"}, AUDIO)
    assert (found.text("a.wav"), found.text("b.wav")) == (text, "Three")
    assert not found.warnings


def test_quotes_are_part_of_the_text_in_pipe_and_tab_tables() -> None:
    for delimiter in "|\t":
        content = f'a.wav{delimiter}"Quoted, she said\nb.wav{delimiter}"Whole"\nc.wav{delimiter}Five"\n'
        found = read({"t.csv": content}, AUDIO)
        assert [line.text for line in found.annotations.values()] == ['"Quoted, she said', '"Whole"', 'Five"']


def test_quotes_that_are_doubled_show_a_quoted_table() -> None:
    content = 'path\tsentence\na.wav\t"""Hello"", he said"\nb.wav\tThree\n'
    assert read({"t.tsv": content}, AUDIO).text("a.wav") == '"Hello", he said'


def test_surplus_pipe_costs_its_row() -> None:
    found = read({"metadata.csv": "a.wav|One\nb.wav|Three | four\nc.wav|Four\n"}, AUDIO)
    assert {name: line.text for name, line in found.annotations.items()} == {"a.wav": "One", "c.wav": "Four"}
    assert found.warnings == {"unreadable_row": ["metadata.csv, line 2"]}


def test_shorter_rows_are_read_as_far_as_they_go() -> None:
    found = read({"t.csv": "file,text,split\na.wav,One\nb.wav,Two,test\nc.wav,Three,,,\n"}, AUDIO)
    assert [line.text for line in found.annotations.values()] == ["One", "Two", "Three"]
    assert found.annotations["b.wav"].split == "test"


@pytest.mark.parametrize(
    "row", ['x{i}.wav,"open', 'x{i}.wav,"a""', "x{i}.wav,plain", 'x{i}.wav,"",""x', '"', "x{i}.wav|" + "|" * 30]
)
def test_time_grows_with_the_number_of_rows_only(row: str) -> None:
    content = "file_name,text\n" + "\n".join(row.format(i=i) for i in range(50_000))
    start = time.process_time()
    read({"metadata.csv": content}, ["x1.wav"])
    assert time.process_time() - start < 10


def test_huge_field_costs_its_row() -> None:
    found = read({"t.csv": 'file,text\na.wav,One\nb.wav,"' + "x" * 200_000 + '"\nc.wav,Four\n'}, AUDIO)
    assert {name: line.text for name, line in found.annotations.items()} == {"a.wav": "One", "c.wav": "Four"}
    assert found.warnings == {"unreadable_row": ["t.csv, line 3"]}


@given(st.lists(st.sampled_from([*DAMAGE.values(), "b.wav,x", '"', ',"', '""', "b"]), max_size=4), st.integers(0, 3))
def test_whatever_lies_between_them_good_rows_are_read_or_told(damage: list[str], place: int) -> None:
    good = ["a.wav,Alpha", "c.wav,Gamma", "d.wav,Delta"]
    rows = list(itertools.chain(["file_name,text"], good[:place], damage, good[place:]))
    found = read({"t.csv": "\n".join(rows)}, AUDIO)
    for name, text in (("a.wav", "Alpha"), ("c.wav", "Gamma"), ("d.wav", "Delta")):
        assert found.text(name) == text or "unreadable_row" in found.warnings
        assert found.text(name) in {text, None}


@pytest.mark.parametrize(
    "form",
    ["{i}.wav,Well, {text}", "Well, {text},{i}.wav", "{i}.wav,anna,Well, {text}", "{i}.wav;Well; {text}"],
)
def test_commas_within_sentences_stay_in_a_table_without_header(form: str) -> None:
    texts = ["we walked along the river", "until the rain began", "nobody had the key"]
    rows = "".join(form.format(i=i, text=text) + "\n" for i, text in enumerate(texts))
    mark = ";" if ";" in form else ","
    found = read({"m.csv": rows}, ["0.wav", "1.wav", "2.wav"])
    assert [line.text for line in found.annotations.values()] == [f"Well{mark} {text}" for text in texts]


@pytest.mark.parametrize("row", ["b.wav,Yes, I do", "b.wav,Yes, I do,", "b.wav,Yes, I do,anna"])
def test_a_comma_within_a_sentence_never_cuts_it_short(row: str) -> None:
    found = read({"m.csv": f"file,text,speaker\na.wav,Hello,anna\n{row}\n"}, ["a.wav", "b.wav"])
    assert (found.text("a.wav"), found.text("b.wav")) == ("Hello", None)
    assert found.warnings == {"unreadable_row": ["m.csv, line 3"]}


@pytest.mark.parametrize("head", ["file, text, speaker", "file,text, speaker", "file,text,speaker"])
def test_spaces_behind_all_commas_of_a_column_mean_nothing(head: str) -> None:
    rows = "".join(f"{i}.wav,Hello {i}, anna\n" for i in range(4))
    found = read({"m.csv": f"{head}\n{rows}"}, [f"{i}.wav" for i in range(4)])
    assert [line.text for line in found.annotations.values()] == [f"Hello {i}" for i in range(4)]


@pytest.mark.parametrize("name", ["z.txt", "a.txt", "m.csv", "text", "m.json"])
@pytest.mark.parametrize("content", ["\n" * 2_000_000, "," * 2_000_000, "a.wav|" * 300_000])
def test_a_file_of_nothing_costs_seconds(content: str, name: str) -> None:
    start = time.process_time()
    read({name: content}, ["a.wav"])
    assert time.process_time() - start < 10
