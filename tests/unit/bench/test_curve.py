"""The points of a curve: one thing varied at a time, and less speech to train on but the same to judge by."""

from dataclasses import replace
from pathlib import Path

from adaptwin_core.speech.corpus import Clip, Corpus
from bench.curve.points import Point, lines, removed, shortened


def test_every_line_goes_through_the_model_that_a_job_makes():
    found = lines("base", 120, other_steps=[30, 240], minutes=[10, 5], models=["tiny.en"], cuts=[0.35, 0.2])
    job = Point("base", 120)
    assert [line.varied for line in found] == ["steps", "minutes", "model", "cut"]
    assert all(job in line.points for line in found)
    assert [point.steps for point in found[0].points] == [30, 120, 240]
    assert [point.minutes for point in found[1].points] == [5, 10, None]
    assert found[2].originals() == [Point("tiny.en", None), Point("base", None)]
    assert [point.cut for point in found[3].points] == [0.2, 0.35, None]
    assert len({point.name for line in found for point in line.points}) == 2 + 2 + 1 + 2 + 1
    for line in found:
        assert len({replace(point, **{line.varied: None}) for point in line.points}) == 1


def test_what_is_not_varied_has_no_line():
    found = lines("base", 120, other_steps=[], minutes=[5], models=[], cuts=[])
    assert [line.varied for line in found] == ["minutes"]


def test_what_is_removed_is_told_of_what_was_made():
    assert removed({"encoder_params": 55}, {"encoder_params": 100}) == 45.0


def test_less_speech_is_a_part_of_more_and_what_judges_stays():
    clips = [
        Clip(f"{split}-{i}", f"{split}-{i}", "words", split, "s", 0, 160_000)
        for split in ("train", "test")
        for i in range(30)
    ]
    whole = Corpus(Path(), tuple(clips), ())
    some, more = shortened(whole, 1), shortened(whole, 2)
    assert len(some.split("train")) == 6
    assert set(some.split("train")) < set(more.split("train")) < set(whole.split("train"))
    assert some.split("test") == whole.split("test")
    assert len({whole.digest, some.digest, more.digest}) == 3
