"""No window holds more text than the decoder; and silence that is known is taught as silence."""

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import WhisperTokenizerFast

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.domain.shape import blocks_of
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.task_keys import SpeechKind
from adaptwin_core.ml.compression import calibration as calibrate
from adaptwin_core.ml.model.adapter import shape_of
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.windows import (
    MAX_LABEL_TOKENS,
    MAX_TEXT_TOKENS,
    Window,
    pack,
    pack_fitted,
    too_wordy,
)
from adaptwin_core.ml.stages.publish import _untaught
from adaptwin_core.ml.stages.training_data import mixture_of
from adaptwin_core.ml.training import teacher
from adaptwin_core.ml.training.mixture import SPEAKER_WEIGHTS, Mixture
from adaptwin_core.ml.training.teacher import Teacher
from tests.fake_speech import Speech, new_clip
from tests.published_whispers import WHISPERS
from tests.unit.ml.conftest import random_whisper
from tests.unit.ml.small_recipe import Levels, recipe_of

TELUGU = "నేను రేపు ఉదయం మార్కెట్‌కు వెళ్తాను"


def saying(*texts, seconds=5.0):
    """Speech of these texts, each clip of another level."""
    return Speech([new_clip(i, text, seconds=seconds, level=i + 1) for i, text in enumerate(texts)])


class Bytes(Featurizer):
    """Whisper's own way of labelling, with a tokenizer that knows no merges: every byte is a token."""

    def __init__(self):
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        inner = Tokenizer(models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))
        inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        self.tokenizer = WhisperTokenizerFast(tokenizer_object=inner)


def of_speech(speaker):
    return recipe_of(CompressionSpec(), speaker, shape=WHISPERS["base"], featurizer=Bytes())


def mixture(speaker):
    return mixture_of(of_speech(speaker), teacher_knows_speaker=False)


def ids(windows):
    return sorted(int(clip.id) for window in windows for clip in window.clips)


@pytest.mark.parametrize("text", [TELUGU, "a few plain words", "한국어 문장입니다", "x" * 400])
def test_no_label_is_cut_and_no_clip_is_lost(text):
    speech, featurizer = saying(*[text] * 40), Bytes()
    whole = pack(speech, "train", seed=0, labelled=True, num_tokens=featurizer.num_tokens)
    for windows in (whole, pack_fitted(whole, seed=0, num_tokens=featurizer.num_tokens)):
        assert ids(windows) == list(range(40))
        for window in windows:
            assert len(featurizer.labels(window.text)[0]) <= MAX_LABEL_TOKENS
            assert featurizer.num_tokens(window.text) == sum(featurizer.num_tokens(clip.text) for clip in window.clips)


def test_the_packing_is_as_ever_where_texts_are_short():
    speech = saying(*["few words"] * 40)
    plain, counted = (pack(speech, "train", seed=0, num_tokens=count) for count in (None, Bytes().num_tokens))
    assert [window.clips for window in plain] == [window.clips for window in counted]


def test_a_clip_that_says_more_than_the_decoder_holds_is_not_taught_and_that_is_told():
    speech = saying("short", "x" * MAX_TEXT_TOKENS, "short again", *["words"] * 3)
    assert [clip.id for clip in too_wordy(speech, "train", Bytes().num_tokens)] == ["1"]
    found = mixture(speech)
    assert (
        ids(found.speaker)
        == ids(found.speaker_fitted)
        == ids(of_speech(speech).windows(SpeechKind.SPEAKER))
        == [0, 2, 3, 4, 5]
    )
    told = _untaught(of_speech(speech))["speaker"]
    assert (told["num_clips"], told["recordings"]) == (1, ["1.wav"])
    assert _untaught(of_speech(saying("short"))) == {}


def test_where_every_transcript_is_too_long_the_sound_teaches_or_the_job_is_refused():
    long = "x" * MAX_LABEL_TOKENS
    found = mixture(saying(long, None, None))
    assert ids(found.speaker) == [1, 2]
    with pytest.raises(InvalidAudio, match="cut the recordings into shorter ones"):
        of_speech(saying(long, long)).speaker_windows()


def test_labels_are_never_cut_unasked():
    with pytest.raises(ValueError, match="tokens"):
        Bytes().labels("x" * 500)
    assert Bytes().labels("x" * 500, may_cut=True).shape == (1, MAX_LABEL_TOKENS)


def test_known_silence_is_text_and_unknown_words_are_not():
    speech = saying("words", "", None)
    texts = {
        indices: Window(speech, tuple(speech.clips[i] for i in indices)).text for indices in ((0, 1), (1,), (1, 2))
    }
    assert texts == {(0, 1): "words", (1,): "", (1, 2): None}
    assert ids(pack(speech, "train", seed=0, labelled=True)) == [0, 1]
    silent = pack(saying("", ""), "train", seed=0, labelled=True)
    assert {weights for _, weights in Mixture(silent, []).order(CompressionSpec(), 3)} == {SPEAKER_WEIGHTS}


def test_measuring_asks_for_no_words_where_nobody_speaks(monkeypatch):
    monkeypatch.setattr(calibrate, "transcribe_batch", lambda *_: pytest.fail("it is known that nobody speaks"))
    model = random_whisper()
    blocks = blocks_of(shape_of(model.config), "decoder")
    windows = pack(saying("", ""), "train", seed=0)
    found = calibrate.calibrate(model, Levels(), blocks, windows, num_kept=1)
    assert found.inputs_1TD["decoder.0.self"][0].shape[1] == len(Levels().labels("")[0]) - 1


def test_the_teacher_is_not_asked_for_words_where_nobody_speaks(monkeypatch):
    asked = []

    def transcribe_batch(_model, _featurizer, audios):
        asked.extend(int(audio[0]) for audio in audios)
        return ["you"] * len(audios)

    monkeypatch.setattr(teacher, "transcribe_batch", transcribe_batch)
    speech = saying("", "said", None)
    windows = [Window(speech, (clip,)) for clip in speech.clips]
    hearing = Teacher(random_whisper(), Levels())
    hearing.expect(windows)
    labels = [hearing.example(window).labels_1L for window in windows]
    assert asked == [3]
    for found, text in zip(labels, ("", "said", "you"), strict=True):
        assert torch.equal(found, Levels().labels(text))
