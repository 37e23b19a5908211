"""What a person waits: utterances of the wanted lengths, times of each part, and the page that shows them."""

import json
import sys
import time

import numpy as np
import pytest

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ
from adaptwin_core.domain.manifests import MODEL_MANIFEST
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.ml.base.models import describe, resolve
from adaptwin_core.ml.exports.recognizers import SteppedRecognizer
from adaptwin_core.ml.model.checkpoint import assemble, save
from bench.finished import OURS, STOCK
from bench.latency import __main__ as latency
from bench.latency.parts import Heard, timed
from bench.latency.rows import ratio, rows_of
from bench.latency.table import draw_run, lines_of
from bench.latency.utterances import Utterance, chosen, utterances
from tests.fake_speech import Speech, new_clip
from tests.unit.bench.synthetic_speech import speech_folder


def clips_of(*lengths_s):
    return [new_clip(i, f"word{i}", "test", seconds=seconds, level=i) for i, seconds in enumerate(lengths_s)]


def lengths(groups):
    return [[clip.seconds for clip in group] for group in groups]


def test_whole_clips_of_the_length_come_first():
    assert lengths(chosen(clips_of(4.0, 9.0, 1.0, 3.8, 2.9, 4.2), 4, 3)) == [[4.0], [3.8], [4.2]]


def test_consecutive_clips_are_joined_where_whole_ones_are_too_few():
    assert lengths(chosen(clips_of(16.0, 5.0, 11.0, 4.0, 20.0, 8.0, 8.0), 16, 3)) == [[16.0], [5.0, 11.0], [8.0, 8.0]]


def test_a_clip_that_is_too_long_stands_between_the_clips_that_may_be_joined():
    assert lengths(chosen(clips_of(8.0, 25.0, 8.0), 16, 1)) == [[25.0]]


def test_the_nearest_are_taken_where_there_are_too_few():
    assert lengths(chosen(clips_of(9.0, 3.0, 6.0, 5.0), 2, 2)) == [[3.0], [5.0]]


@pytest.mark.parametrize("seconds", [2, 4, 8, 16])
def test_no_clip_is_said_twice(seconds):
    drawn = np.random.default_rng(seconds).uniform(1, 14, 60)
    groups = chosen(clips_of(*drawn), seconds, 20)
    said = [clip.id for group in groups for clip in group]
    assert len(said) == len(set(said))
    assert len(groups) == 20


def test_an_utterance_is_the_sound_and_the_words_of_its_clips():
    unknown = new_clip("unknown", None, "test", seconds=4)
    (said,) = utterances(Speech([unknown, *clips_of(1.5, 2.5), new_clip("seen", "a", "train", seconds=4)]), 4, 9)
    assert said.text == "word0 word1"
    assert said.seconds == 4.0
    assert said.audio.tolist() == [0.0] * int(1.5 * SAMPLE_RATE_HZ) + [1.0] * int(2.5 * SAMPLE_RATE_HZ)


class Slow(SteppedRecognizer):
    """Takes 10, 30 and 20 ms for its steps."""

    def __init__(self):
        super().__init__(None, None)

    def features(self, _audio):
        time.sleep(0.01)
        return "features"

    def encode(self, features_1MF):
        time.sleep(0.03)
        return f"encoded {features_1MF}"

    def decode(self, encoded, _audio):
        time.sleep(0.02)
        return f"decoded {encoded}"


def test_each_step_is_timed_by_itself_and_the_text_is_the_same():
    recognizer = Slow()
    heard = timed(recognizer)(np.zeros(9, np.float32))
    assert heard.text == recognizer(np.zeros(9, np.float32)) == "decoded encoded features"
    assert heard.features_s >= 0.01
    assert heard.encoder_s >= 0.03
    assert heard.decoder_s >= 0.02
    assert heard.total_s == pytest.approx(heard.features_s + heard.encoder_s + heard.decoder_s)


def test_a_runtime_that_tells_no_parts_is_refused():
    with pytest.raises(TypeError, match="does not tell"):
        timed(lambda _audio: "words")


def test_a_ratio_is_the_median_over_utterances_within_its_interval():
    times_faster, low, high = ratio([4.0, 6.0, 9.0], [1.0, 2.0, 1.0])
    assert times_faster == 4.0
    assert (low, high) == (3.0, 9.0)


def heard(text, encoder_s):
    return Heard(text, 0.01, encoder_s, 0.1, 0.12 + encoder_s)


@pytest.fixture
def rows():
    said = [Utterance(np.zeros(4 * SAMPLE_RATE_HZ, np.float32), text) for text in ("red green", "small house")]
    both = {
        STOCK: [heard("red green", 0.6), heard("small horse", 1.2)],
        OURS: [heard("red green", 0.1), heard("small house", 0.1)],
    }
    return [{"form": "ct2-int8", "seconds": 4.0, **row} for row in rows_of(said, both, "en")]


def test_our_row_says_how_much_faster_and_how_much_worse(rows):
    stock, ours = rows
    assert (stock["model"], ours["model"]) == (STOCK, OURS)
    assert (stock["encoder_s"], ours["encoder_s"], ours["mean_s"], ours["utterances"]) == (0.9, 0.1, 4.0, 2)
    assert ours["encoder_times_faster"] == [9.0, 6.0, 12.0]
    assert (stock["wer"][0], ours["wer"][0], ours["wer_above_stock"][0]) == (25.0, 0.0, -25.0)


def test_the_page_shows_both_beside_each_other(rows, tmp_path):
    ((form, seconds, encoder, decoder, total, faster, *_),) = lines_of(rows)
    assert (form, seconds, encoder, decoder) == ("`ct2-int8`", "4.0", "900 / 100", "100 / 100")
    assert (total, faster) == ("1020 / 220", "9.0 (6.0-12.0)")
    draw_run({"rows": rows}, tmp_path / "run.png")
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.release
@pytest.mark.weights
def test_every_runtime_is_timed_in_both_windows(tmp_path_factory, monkeypatch):
    work = tmp_path_factory.mktemp("latency")
    base = resolve("package:whisper-tiny.en", tmp_path_factory.getbasetemp() / "models")
    save(assemble(base, RankPlan(blocks={}), {}), base, work / "model")
    manifest = {"base_model": {"model": "whisper-tiny.en", "digest": describe(base)[0]}, "settings": {"language": "en"}}
    (work / "model" / MODEL_MANIFEST).write_text(json.dumps(manifest | {"margin_s": 2.0}))
    options = {"--model": work / "model", "--base": f"folder:{base}", "--out": work / "rows.json"}
    options["--speech"] = speech_folder(work / "speech")
    given = [str(word) for pair in options.items() for word in pair]
    forms = ["ct2-int8", "onnx-int8", "ggml-q8_0"]
    monkeypatch.setattr(sys, "argv", ["latency", "--quick", *given, "--seconds", "3", "--forms", *forms])
    latency.main()
    run = json.loads((work / "rows.json").read_text())
    assert [(row["form"], row["model"]) for row in run["rows"]] == [(f, m) for f in forms for m in (STOCK, OURS)]
    for row in run["rows"]:
        assert 0 < row["encoder_s"] + row["decoder_s"] + row["features_s"] < 1.1 * row["total_s"]
        if row["model"] == OURS:
            assert row["encoder_times_faster"][0] > 2  # a tenth of the frames, on a machine that may be busy
            assert row["wer"][0] < 30
