"""What was heard when the speech was measured is not computed again; transcripts get the original's spelling."""

import torch

from adaptwin_core.ml import teacher
from adaptwin_core.ml.decode import BATCH
from adaptwin_core.ml.measured import encoded_windows, measure
from adaptwin_core.ml.teacher import Teacher
from adaptwin_core.ml.windows import Window
from adaptwin_core.speech.corpus import Clip
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.small_setting import Levels, Speech, small_setting

NUM_SHARDS = 2


def test_the_original_hears_the_same_with_and_without_what_was_measured(monkeypatch, tmp_path):
    setting = small_setting(monkeypatch, calibration_windows=6, layer_windows=4)
    shards = []
    for shard in range(NUM_SHARDS):
        folder = tmp_path / str(shard)
        folder.mkdir()
        shards.append(measure(setting, shard, NUM_SHARDS, folder))
    encoded = encoded_windows(setting, shards)
    windows = [*setting.windows(setting.speaker), *setting.windows(setting.general)]
    known = [window for window in windows if window.name in encoded]
    assert len(known) == len(encoded) == 6 + len(setting.windows(setting.general))
    model = random_whisper()
    runs = []
    model.model.encoder.register_forward_hook(lambda *_: runs.append(1))
    knowing, fresh = Teacher(model, Levels(), encoded), Teacher(model, Levels())
    for window in windows:
        before = len(runs)
        told = knowing.hear(window)
        assert len(runs) - before == (window not in known)
        again = fresh.hear(window)
        assert torch.equal(told.encoded_1SD, again.encoded_1SD)
        assert torch.equal(told.decoded_1LD, again.decoded_1LD)


class English(Levels):
    language = "en"


def test_the_original_is_asked_only_for_what_may_be_written_otherwise_and_in_batches(monkeypatch):
    asked = []

    def hear(_model, _featurizer, audios):
        asked.append(len(audios))
        return ["It was 21"] * len(audios)

    monkeypatch.setattr(teacher, "transcribe_batch", hear)
    texts = ["it was twenty-one", None, "nobody knows", *["it was thirty"] * BATCH]
    speech = Speech("speaker", 0, 0)
    windows = [Window(speech, (Clip(str(i), str(i), text, "train", "s", i, 192_000),)) for i, text in enumerate(texts)]
    original = Teacher(random_whisper(), English())
    original.prepare(windows)
    learnt = [original.hear(window).labels_1L.tolist() for window in windows]
    assert learnt[:4] == [
        English().labels(text).tolist() for text in ("it was 21", "It was 21", "nobody knows", "it was thirty")
    ]
    assert asked == [BATCH, 2]
