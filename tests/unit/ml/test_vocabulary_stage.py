"""A whole job drops the tokens that its language does not need; the base model that it is compared with keeps all."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import Contender, ModelKey
from adaptwin_core.ml.base import kept_tokens as kept_tokens_module
from adaptwin_core.ml.base.models import Base, resolve
from adaptwin_core.ml.base.token_ids import token_ids
from adaptwin_core.ml.exports.original_vocabulary import OriginalVocabulary
from adaptwin_core.ml.exports.text_tokens import text_tokens
from adaptwin_core.ml.model.checkpoint import load_compressed
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.stages.recipe import BaseModel
from adaptwin_core.ml.stages.walk import Speech, Walk
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits

pytestmark = pytest.mark.weights  # the tokenizer comes with the weights
WORDS = ["straße", "haus", "größe"]


@pytest.fixture(scope="module")
def random_base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A small random multilingual Whisper with Whisper's own tokenizer."""
    folder, cache = tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("cache")
    real = resolve("package:whisper-base", tmp_path_factory.getbasetemp() / "models")
    for path in real.glob("*"):
        if path.name not in {"config.json", "generation_config.json", "model.safetensors"}:
            (folder / path.name).write_bytes(path.read_bytes())
    config = json.loads((real / "config.json").read_text())
    config |= {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1}
    config |= {f"{half}_attention_heads": 2 for half in ("encoder", "decoder")}
    config |= {f"{half}_ffn_dim": 128 for half in ("encoder", "decoder")}
    torch.manual_seed(0)
    WhisperForConditionalGeneration(WhisperConfig(**config, init_std=0.3)).half().save_pretrained(folder)
    settings = json.loads((real / "generation_config.json").read_text()) | {"alignment_heads": [[0, 0]]}
    (folder / "generation_config.json").write_text(json.dumps(settings))
    return Base.found(str(folder), "de", cache)


@pytest.fixture(scope="module")
def done(random_base: Base, tmp_path_factory: pytest.TempPathFactory):
    patch = pytest.MonkeyPatch()
    patch.setattr(kept_tokens_module, "listed_words", lambda _language: WORDS)
    folder = tmp_path_factory.mktemp("speech")
    for split in ("train", "test"):
        noise = np.random.default_rng(len(split)).normal(0, 0.1, 2 * SAMPLE_RATE_HZ)
        soundfile.write(folder / f"{split}.wav", noise, SAMPLE_RATE_HZ)
    rows = ["file_name,transcription,split", *(f"{split}.wav,Das Haus,{split}" for split in ("train", "test"))]
    (folder / "metadata.csv").write_text("\n".join(rows))
    corpus = build_corpus(read_folder(folder), tmp_path_factory.mktemp("corpus"), Limits())
    spec = CompressionSpec(encoder_cut=0, language="de", personal_steps=0, weights="int8")
    walk = Walk(Speech(corpus, None), tmp_path_factory.mktemp("work"))
    yield walk.run(BaseModel.of(random_base), spec)
    patch.undo()


def test_the_model_has_fewer_tokens_and_is_configured_for_them(done, random_base: Base) -> None:
    kept = done[Stage.VOCABULARY][ModelKey()].result.figures["kept"]
    folder = done[Stage.TUNE][ModelKey()].result.folder
    model = load_compressed(folder)
    assert model.config.vocab_size == kept == len(model.proj_out.weight) < random_base.facts.shape.vocab_size
    ids = token_ids(folder)
    assert len(ids) == kept
    assert model.generation_config.lang_to_id["<|de|>"] == ids["<|de|>"]
    assert done[Stage.TUNE][ModelKey()].result.figures["total_params"] == model.num_parameters()
    featurizer = Featurizer(folder, "de")
    assert featurizer.prompt() == [
        ids[f"<|{name}|>"] for name in ("startoftranscript", "de", "transcribe", "notimestamps")
    ]
    assert featurizer.text(featurizer.labels("Straße, Größe: 12")[0].tolist()) == "Straße, Größe: 12"


def test_the_report_counts_the_dropped_tokens(done, random_base: Base) -> None:
    report = done[Stage.PUBLISH][ModelKey()].result.figures
    kept = done[Stage.VOCABULARY][ModelKey()].result.figures["kept"]
    shape = random_base.facts.shape
    assert report["vocabulary"] == {"kept": kept, "of": shape.vocab_size, "languages": ["de"], "why_all": None}
    size = report["size"]
    assert size["original"]["total_params"] == shape.total_params
    dropped = (shape.vocab_size - kept) * shape.d_model
    assert size["original"]["total_params"] - size["compressed"]["total_params"] == dropped
    assert (
        f"{kept:,} of {shape.vocab_size:,} tokens"
        in done[Stage.PUBLISH][ModelKey()].result.files["README.md"].read_text()
    )


def test_the_card_tells_what_the_model_folder_holds(done, random_base: Base, tmp_path: Path) -> None:
    published = done[Stage.PUBLISH][ModelKey()].result
    for name, path in published.files.items():
        (tmp_path / name).write_bytes(path.read_bytes())
    model = load_compressed(tmp_path)
    base = WhisperForConditionalGeneration.from_pretrained(random_base.folder)
    kept = json.loads((tmp_path / "kept_tokens.json").read_text())
    assert (len(token_ids(tmp_path)), kept["vocab_size"]) == (len(kept["kept"]), len(token_ids(random_base.folder)))
    num_bytes = (tmp_path / "model.safetensors").stat().st_size
    share = 1 - model.num_parameters() / base.num_parameters()
    card = (tmp_path / "README.md").read_text()
    assert f"{100 * share:.1f} % ({base.num_parameters():,} to {model.num_parameters():,})" in card
    assert f"weights in int8, {num_bytes:,} bytes" in card
    tokens = (
        f"the {len(token_ids(tmp_path)):,} of {kept['vocab_size']:,} tokens that these languages need: German (de)."
    )
    assert f"It keeps {tokens}" in card
    manifest = json.loads((tmp_path / "adaptwin.json").read_text())
    weights = manifest["files"]["model.safetensors"]
    assert num_bytes == published.figures["size"]["compressed"]["weights_bytes"] == weights["bytes"]


def test_the_base_model_is_judged_with_all_its_tokens(done) -> None:
    heard = {key: json.loads(task.result.files["texts.json"].read_text()) for key, task in done[Stage.EVALUATE].items()}
    assert {key.model for key in heard} == set(Contender)
    assert all(heard.values())


def test_dropped_rows_come_back_in_their_places_and_never_win(done, random_base: Base) -> None:
    folder = done[Stage.TUNE][ModelKey()].result.folder
    vocabulary = OriginalVocabulary(folder)
    assert vocabulary.num_tokens == random_base.facts.shape.vocab_size
    original = text_tokens(random_base.folder)
    assert len(vocabulary.tokens) == len(original)
    assert {new for new, old in zip(vocabulary.tokens, original, strict=True) if new != old} == {b""}
    embedding = load_compressed(folder).proj_out.weight.detach().float().numpy()
    rows = vocabulary.rows(embedding)
    ids, old_ids = token_ids(folder), token_ids(random_base.folder)
    assert all(np.array_equal(rows[old_ids[token]], embedding[index]) for token, index in ids.items())
    scores = rows @ np.random.default_rng(0).normal(size=(rows.shape[1], 200)).astype(np.float32)
    assert set(scores.argmax(axis=0).tolist()) <= {old_ids[token] for token in ids}
