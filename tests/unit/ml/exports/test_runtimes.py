"""Every form in its real runtime: a compressed tiny.en, with another size in each layer, says the same words."""

import json
import sys
from functools import cache

import numpy as np
import onnxruntime
import openvino
import pytest
import soxr
import torch
from faster_whisper import WhisperModel

from adaptwin_core.domain.errors import CorruptBlob, InvalidInput, NotFound
from adaptwin_core.domain.exports import CHECKPOINT, FORMATS
from adaptwin_core.domain.manifests import MODEL_MANIFEST
from adaptwin_core.domain.plan import BlockPlan, RankPlan
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.compression.measurement import measuring
from adaptwin_core.ml.evaluation.manifest import BILL, check_files, read_manifest, write_manifest
from adaptwin_core.ml.exports import acceptance, formats
from adaptwin_core.ml.model.adapter import layer_of
from adaptwin_core.ml.model.checkpoint import assemble, load_compressed, save
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.transcription import Transcripts
from tests.fake_speech import Speech, new_clip
from tests.unit.ml.cut_models import compress
from tests.unit.ml.exports.word_times import differences, summary, words_of

SENTENCES = (
    "The quick brown fox jumps over the lazy dog near the river bank.",
    "Please send the report to the office before nine tomorrow morning.",
    "She bought seven apples and a loaf of bread at the market.",
)
RATE_HZ = 16_000
PLAN = {
    "encoder.0.self": BlockPlan(heads=5, qk=56, vo=48),
    "encoder.1.self": BlockPlan(qk=48, vo=56, neurons=1504),
    "encoder.3.self": BlockPlan(qk=60),
    "decoder.0.self": BlockPlan(qk=48, vo=56),
    "decoder.1.cross": BlockPlan(qk=56, vo=60),
    "decoder.2.cross": BlockPlan(fc1=360),
}

ONNXRUNTIME = onnxruntime.InferenceSession

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def held_out():
    from hibari import Hibari

    reader = Hibari()
    return acceptance.HeldOutSet(
        [soxr.resample(reader(text, seed=1), Hibari.sample_rate, RATE_HZ).astype("float32") for text in SENTENCES],
        SENTENCES,
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return resolve("package:whisper-tiny.en", tmp_path_factory.getbasetemp() / "models")


def cut_to(plan, base, held_out, folder):
    """Cut tiny.en, its encoder with the least error on the clips, and write it."""
    model, featurizer = load_whisper(base), Featurizer(base, "en")
    encoder = [block for block in map(BlockId.parse, plan) if block.half == "encoder"]
    with torch.no_grad():
        with measuring([(block, layer_of(model, block)) for block in encoder]) as measured:
            model.model.encoder(featurizer.features(held_out.audios))
        # So few words would say too little of the decoder: its weights alone decide there.
        moments = dict.fromkeys(plan) | {name: sums.means() for name, sums in measured.items()}
        save(compress(model, RankPlan(blocks=plan), moments), base, folder)
    return folder


@pytest.fixture(scope="module")
def checkpoint(base, held_out, tmp_path_factory):
    return cut_to(PLAN, base, held_out, tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def own(checkpoint, held_out):
    return acceptance.transcribe_held_out(formats.load(CHECKPOINT, checkpoint, "en", margin_s=None), held_out)


def test_tiny_en_cut_smaller_still_hears(own, held_out):
    assert acceptance.verdict(own, own.texts, held_out, "en")["wer"] < 0.3, own.texts


@pytest.fixture(scope="module")
def written(checkpoint, tmp_path_factory):
    """Return the folder of the checkpoint in a form; each is made once."""

    @cache
    def write(form):
        out = tmp_path_factory.mktemp(form)
        names = formats.write(form, checkpoint, out)
        assert names == sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
        return out

    return write


@pytest.mark.release
@pytest.mark.parametrize("form", FORMATS)
def test_the_runtime_hears_what_the_checkpoint_hears(form, written, held_out, own):
    heard = acceptance.transcribe_held_out(formats.load(form, written(form), "en", margin_s=None), held_out)
    if FORMATS[form].is_exact or form == "dense":
        assert heard.texts == own.texts
    against_own = acceptance.HeldOutSet(held_out.audios, [None] * len(SENTENCES))
    found = acceptance.verdict(heard, own.texts, against_own, "en")
    assert found["wer"] < 0.15, (heard.texts, own.texts)


@pytest.mark.release
def test_onnxruntime_scores_every_word_as_the_checkpoint_does(base, checkpoint, written, held_out):
    folder, featurizer = written("onnx-float32") / "onnx", Featurizer(base, "en")
    encoder, decoder = (ONNXRUNTIME(next(folder.glob(f"{n}*.onnx"))) for n in ("encoder_model", "decoder_model_merged"))
    features, labels = featurizer.features(held_out.audios[:1]), featurizer.labels(SENTENCES[0])
    given = {
        one.name: np.zeros((1, one.shape[1], 0, one.shape[3]), np.float32)
        for one in decoder.get_inputs()
        if one.name.startswith("past_key_values")
    }
    (encoded,) = encoder.run(None, {"input_features": features.numpy()})
    given |= {"input_ids": labels.numpy(), "encoder_hidden_states": encoded}
    with torch.no_grad():
        expected = load_compressed(checkpoint)(input_features=features, decoder_input_ids=labels).logits
    np.testing.assert_allclose(decoder.run(["logits"], given)[0], expected.numpy(), rtol=0, atol=1e-3)


@pytest.mark.release
def test_ctranslate2_computes_fewer_heads_where_every_layer_has_fewer(base, held_out, tmp_path):
    """In the plan above a layer has fewer than the others, and is given a head of zeros."""
    folder = cut_to(
        {f"encoder.{i}.self": BlockPlan(heads=5) for i in range(4)}, base, held_out, tmp_path / "checkpoint"
    )
    formats.write("ct2-float16", folder, tmp_path / "ct2")
    ours, there = (
        acceptance.transcribe_held_out(formats.load(*where, "en", margin_s=None), held_out).texts
        for where in ((CHECKPOINT, folder), ("ct2-float16", tmp_path / "ct2"))
    )
    assert there == ours
    assert len("".join(ours)) > len("".join(SENTENCES)) / 2


class OpenVino:
    """OpenVINO in onnxruntime's place: it reads the same files."""

    def __init__(self, path, *_, **__):
        self._model = openvino.Core().compile_model(path, "CPU")
        described = ONNXRUNTIME(path)
        self.get_inputs, self.get_outputs = described.get_inputs, described.get_outputs

    def run(self, _names, given):
        return list(self._model(given).values())


@pytest.mark.release
@pytest.mark.parametrize("form", ["onnx-float32", "onnx-int8"])
def test_openvino_reads_the_onnx_files(form, written, held_out, own, monkeypatch):
    folder = written(form)
    monkeypatch.setattr(onnxruntime, "InferenceSession", OpenVino)
    heard = acceptance.transcribe_held_out(formats.load(form, folder, "en", margin_s=None), held_out)
    if form == "onnx-float32":
        assert heard.texts == own.texts
    else:
        against_own = acceptance.HeldOutSet(held_out.audios, [None] * len(SENTENCES))
        assert acceptance.verdict(heard, own.texts, against_own, "en")["wer"] < 0.15, (heard.texts, own.texts)


def words_in(model, audio):
    segments, _ = model.transcribe(audio, language="en", beam_size=1, temperature=0.0, word_timestamps=True)
    return words_of(segments, "en")


@pytest.mark.release
def test_words_keep_their_times(base, written, held_out, tmp_path):
    """In faster-whisper, as most people run Whisper."""
    save(assemble(base, RankPlan(blocks={}), {}), base, tmp_path / "original")
    formats.write("ct2-float16", tmp_path / "original", tmp_path / "ct2")
    models = [WhisperModel(str(f), device="cpu", cpu_threads=1) for f in (tmp_path / "ct2", written("ct2-float16"))]
    apart = []
    for audio in held_out.audios:
        original, ours = (words_in(model, audio) for model in models)
        apart += differences(ours, original)
    assert len(apart) > len(" ".join(SENTENCES).split())
    assert summary(apart)["mean_ms"] < 80, apart


def test_what_travels_can_be_checked(tmp_path):
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.bin").write_bytes(b"weights")
    report = {"base_model": "whisper-base", "base_digest": "ab", "spec": {"language": "en"}, "speech": {}}
    files = {"onnx/model.bin": tmp_path / "onnx" / "model.bin"}
    made = write_manifest(files, tmp_path, form="onnx-int8", report=report, verdict=None, licence="MIT")
    assert set(made) == {MODEL_MANIFEST, BILL}
    manifest = read_manifest(tmp_path)
    assert set(manifest["files"]) == {"onnx/model.bin", BILL}
    assert manifest["base_model"] == {"model": "whisper-base", "digest": "ab", "licence": "MIT"}
    check_files(tmp_path, manifest)
    bill = json.loads((tmp_path / BILL).read_text())
    assert {"whisper-base", "torch", "transformers"} < {part["name"] for part in bill["components"]}
    (tmp_path / "onnx" / "model.bin").write_bytes(b"changed")
    with pytest.raises(CorruptBlob, match=r"onnx/model.bin"):
        check_files(tmp_path, manifest)


def test_an_export_that_hears_worse_is_not_offered(held_out):
    worse = Transcripts(["the quick brown", SENTENCES[1], SENTENCES[2]], 0.1, 1.0)
    found = acceptance.verdict(worse, SENTENCES, held_out, "en")
    assert not found["is_offered"]
    assert "points above the checkpoint" in found["why"]


def test_clips_without_a_transcript_do_not_count_where_others_have_one(held_out):
    mixed = acceptance.HeldOutSet(held_out.audios, [SENTENCES[0], None, None])
    heard = Transcripts([SENTENCES[0], "anything at all", ""], 0.1, 1.0)
    found = acceptance.verdict(heard, SENTENCES, mixed, "en")
    assert (found["num_clips"], found["wer"], found["checkpoint_wer"], found["is_offered"]) == (1, 0, 0, True)


def test_words_that_the_checkpoint_has_said_are_used_if_none_is_missing():
    speech = Speech([new_clip(name, name, "test") for name in ("a", "b")])
    assert acceptance.HeldOutSet.of(speech, {"a": "one", "b": "two", "c": "three"}).own_texts == ["one", "two"]
    assert acceptance.HeldOutSet.of(speech, {"a": "one"}).own_texts is None


def test_a_runtime_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)
    with pytest.raises(InvalidInput, match="sherpa_onnx, which is not installed: pip install"):
        formats.load("sherpa-int8", tmp_path, "en", margin_s=None)


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(InvalidInput, match="There are: dense"):
        formats.write("mp3", tmp_path, tmp_path / "out")
    with pytest.raises(InvalidInput, match="no language that Whisper knows"):
        formats.load("sherpa-int8", tmp_path, "klingon", margin_s=None)
    with pytest.raises(NotFound, match=r"holds no adaptwin\.json"):
        read_manifest(tmp_path)
