"""One change at a time, and less speech to learn from but the same to judge by."""

from argparse import Namespace
from pathlib import Path

from adaptwin_core.speech.corpus import Clip, Corpus
from bench.ablation import cases, shortened, table


def test_every_row_changes_one_thing():
    options = Namespace(model="package:base", models=["package:tiny"], change=[{"tune_steps": 3}], minutes=[5.0])
    found = list(cases(options))
    assert [(case.model, case.change, case.minutes) for case in found] == [
        ("package:base", None, None),
        ("package:base", {}, None),
        ("package:tiny", None, None),
        ("package:tiny", {}, None),
        ("package:base", {"tune_steps": 3}, None),
        ("package:base", {}, 5.0),
    ]
    assert len({case.name for case in found}) == len(found)


def test_a_row_is_compared_with_its_own_base_model():
    def row(change, model, errors, family="ours"):
        rates = {"speaker_wer": [10.0 * errors] * 3, "others_wer": [0.0] * 3, "tuning_s": 1.0}
        clips = {"speaker_clips": f"{errors}/10", "others_clips": "0/10"}
        return {"change": change, "model": model, "family": family, "precision": "float16", **rates, **clips}

    rows = [row("as it is", "a", 2, "original"), row("job", "a", 1), row("as it is", "b", 5, "original")]
    lines = table([*rows, row("job", "b", 1)]).splitlines()[2:]
    assert [line.split(" | ")[2].split()[0] for line in lines] == ["0.0", "-10.0", "0.0", "-40.0"]


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
