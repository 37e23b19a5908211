"""Every folder of a Whisper that people have works as a base model, as does everything made of it, or is refused with
what to do, before any work.

Each way of saving is tried on both of Whisper's vocabularies. A model of each is finished without training, heard, and
loaded by its own card in a process that has no AdaPTwin (of the English-only ones, where tokens or settings matter).
Each of them is written as dense and CTranslate2, and those with the oddest tokens in every form.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel, WhisperForAudioClassification

from adaptwin_core.domain.errors import AdaptwinError, InvalidSpec
from adaptwin_core.domain.exports import CHECKPOINT, FORMATS
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.ml.base.models import describe, resolve
from adaptwin_core.ml.evaluation.report import model_card
from adaptwin_core.ml.exports import formats
from adaptwin_core.ml.model.checkpoint import assemble, save
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.transcription import transcribe_batch
from tests.unit.ml.base_folders import SAVED, SIZES, as_saved_before, as_saved_today, edit, parts_of

pytestmark = pytest.mark.weights  # the tokenizers come with the weights

SENTENCE = "Please send 7 apples to Müller & Söhne, (quickly)!"
LANGUAGES = {"whisper-base": "de", "whisper-tiny.en": "en"}
MANY = [(name, how) for name in LANGUAGES for how in SAVED]
ODDEST = ("with_a_word_added", "with_words_alone")
FINISHED = [(name, how) for name, how in MANY if name == "whisper-base" or how in ODDEST or "config" in how]
AUDIO = np.random.default_rng(0).normal(size=16_000).astype(np.float32) / 20
REPORT = {
    "base_model": "whisper",
    "size": {
        "original": {"encoder_params": 2, "total_params": 2},
        "compressed": {"encoder_params": 1, "total_params": 1, "weights_bytes": 2},
    },
    "vocabulary": {"kept": 3, "of": 3, "languages": ["en"], "why_all": "the settings keep them"},
    "plan": {"encoder_cut": 0.5, "total_cut": 0.5},
    "spec": {"weights": "float16", "language": "en"},
    "speech": {},
    "silence": {},
    "window": {"margin_s": None, "why": "Nothing was heard."},
    "verdict": {"sentence": "Not known to be better or worse.", "advice": []},
}


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    cache = tmp_path_factory.getbasetemp() / "models"
    return {name: resolve(f"package:{name}", cache) for name in LANGUAGES}


@pytest.fixture(scope="module")
def known(packaged: dict[str, Path]) -> dict[str, Featurizer]:
    """The packaged models' own, by which the others are judged."""
    return {name: Featurizer(packaged[name], language) for name, language in LANGUAGES.items()}


@pytest.fixture(scope="module")
def whole(packaged: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing amiss, to be copied and spoilt."""
    folder = tmp_path_factory.mktemp("whole")
    as_saved_before(parts_of(packaged["whisper-base"]), folder)
    return folder


@pytest.fixture(scope="module")
def base(packaged: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Return the base model that a folder, saved in one of the ways, becomes; each is made once."""
    made: dict[tuple[str, str], Path] = {}

    def take(name: str, how: str) -> Path:
        if (name, how) not in made:
            work = tmp_path_factory.mktemp(how)
            SAVED[how](parts_of(packaged[name]), work / "saved")
            made[name, how] = resolve(f"folder:{work / 'saved'}", work / "cache")
        return made[name, how]

    return take


@pytest.fixture(scope="module")
def finished(base: Callable[[str, str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Return the folder of a model made of a base model."""
    made: dict[tuple[str, str], Path] = {}

    def take(name: str, how: str) -> Path:
        if (name, how) not in made:
            out = made[name, how] = tmp_path_factory.mktemp("finished")
            folder = base(name, how)
            save(assemble(folder, RankPlan(blocks={}), {}), folder, out)
            (out / "README.md").write_text(model_card(REPORT, licence=None))
            edit(out / "generation_config.json", max_length=12)  # random weights seldom come to an end
        return made[name, how]

    return take


@pytest.mark.parametrize(("name", "how"), MANY)
def test_a_folder_is_taken_for_what_its_tokens_are(name: str, how: str, base, packaged, known) -> None:
    folder = base(name, how)
    facts = describe(folder)
    assert facts.languages == describe(packaged[name]).languages
    assert facts.shape.vocab_size == load_whisper(folder).config.vocab_size
    ours, theirs = Featurizer(folder, LANGUAGES[name]), known[name]
    assert ours.prompt() == theirs.prompt()
    assert ours.labels(SENTENCE).tolist() == theirs.labels(SENTENCE).tolist()
    assert ours.text(ours.labels(SENTENCE)[0].tolist()) == SENTENCE
    assert torch.equal(ours.features([AUDIO]), theirs.features([AUDIO]))


@pytest.mark.release
@pytest.mark.parametrize(("name", "how"), FINISHED)
def test_what_is_made_of_a_folder_is_whole(name: str, how: str, finished, base, packaged, tmp_path: Path) -> None:
    folder, language = finished(name, how), LANGUAGES[name]
    own = formats.load(CHECKPOINT, folder, language, margin_s=None)(AUDIO)
    assert own == transcribe_batch(load_whisper(base(name, how)), Featurizer(packaged[name], language), [AUDIO])[0]
    generation, known = (json.loads((path / "generation_config.json").read_text()) for path in (folder, packaged[name]))
    for told in ("no_timestamps_token_id", "lang_to_id", "task_to_id", "is_multilingual", "prev_sot_token_id"):
        assert generation.get(told) == known.get(told), told
    assert "forced_decoder_ids" not in generation
    for form in ("dense", "ct2-float16"):
        formats.write(form, folder, tmp_path / form)
        assert isinstance(formats.load(form, tmp_path / form, language, margin_s=None)(AUDIO), str)


@pytest.mark.release
@pytest.mark.parametrize("form", [form for form in FORMATS if form not in {"dense", "ct2-float16"}])
@pytest.mark.parametrize("how", ODDEST)
@pytest.mark.parametrize("name", LANGUAGES)
def test_every_form_can_be_made_of_the_oddest(name: str, how: str, form: str, finished, tmp_path: Path) -> None:
    formats.write(form, finished(name, how), tmp_path / form)
    assert isinstance(formats.load(form, tmp_path / form, LANGUAGES[name], margin_s=None)(AUDIO), str)


CLEAN = """
import json, os, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("adaptwin_core", "api", "worker"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
sys.path.append(sys.argv[1])
import numpy
samples = numpy.random.default_rng(0).normal(size=16_000) / 20
for folder, snippet in json.load(sys.stdin):
    os.chdir(folder)
    print(folder, file=sys.stderr)
    exec(snippet, {"samples": samples})
print("all loaded")
"""


@pytest.mark.release
def test_every_finished_folder_loads_by_its_own_card_where_there_is_no_adaptwin(finished, tmp_path: Path) -> None:
    given = []
    for name, how in FINISHED:
        folder = finished(name, how)
        (snippet,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
        assert '"this folder"' in snippet
        assert '"speech.wav"' in snippet
        # There may be no ffmpeg, which reads files: the card says that samples do as well.
        given.append((str(folder), snippet.replace('"this folder"', '"."').replace('"speech.wav"', "samples")))
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", CLEAN, sysconfig.get_path("purelib")],
        input=json.dumps(given),
        env={"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.endswith("all loaded\n")


def test_a_whole_folder_is_used_as_it_is(base, packaged, tmp_path: Path) -> None:
    folder = base("whisper-base", "as_saved_before")
    assert folder.name == "saved"
    assert resolve(f"folder:{packaged['whisper-base']}", tmp_path) == packaged["whisper-base"]
    assert not any(tmp_path.iterdir())


def test_a_completed_folder_is_described_by_what_it_was_made_of(packaged, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    as_saved_today(parts_of(packaged["whisper-base"]), saved)
    first = resolve(f"folder:{saved}", tmp_path / "cache")
    assert resolve(f"folder:{saved}", tmp_path / "cache") == first != saved
    edit(saved / "tokenizer_config.json", model_max_length=448)
    again = resolve(f"folder:{saved}", tmp_path / "cache")
    assert again != first
    assert describe(again).digest != describe(first).digest


def test_more_mels_have_cantonese(packaged, tmp_path: Path) -> None:
    """A tokenizer without special tokens, of a model of large-v3's kind, has a hundredth language."""
    parts = parts_of(packaged["whisper-base"], num_mel_bins=128, vocab_size=51866)
    SAVED["with_words_alone"](parts, tmp_path / "saved")
    (tmp_path / "saved" / "preprocessor_config.json").unlink()
    (tmp_path / "saved" / "generation_config.json").unlink()
    edit(tmp_path / "saved" / "config.json", vocab_size=51866)
    folder = resolve(f"folder:{tmp_path / 'saved'}", tmp_path / "cache")
    assert describe(folder).languages[-1] == "yue"
    featurizer = Featurizer(folder, "yue")
    assert featurizer.prompt() == [50258, 50358, 50360, 50364]
    assert featurizer.features([AUDIO]).shape[1] == 128


def test_a_language_that_a_model_has_not_is_refused(base) -> None:
    with pytest.raises(InvalidSpec, match="hears English only; take a multilingual"):
        Featurizer(base("whisper-tiny.en", "with_a_word_added"), "de")
    with pytest.raises(InvalidSpec, match="give zh, or take"):
        Featurizer(base("whisper-base", "as_saved_today"), "yue")


def _weights(change: Callable[[dict[str, torch.Tensor]], None]) -> Callable[[Path], None]:
    def break_it(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    return break_it


def _config(**changes: object) -> Callable[[Path], None]:
    return lambda folder: edit(folder / "config.json", **changes)


def _no_tokenizer(folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"):
        (folder / name).unlink()


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _cut_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def _lora(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text("{}")


def _ctranslate2(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model.bin")
    (folder / "config.json").write_text(json.dumps({"suppress_ids": [], "lang_ids": []}))


def _bert(folder: Path) -> None:
    BertModel(
        BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    ).save_pretrained(folder)


def _classifier(folder: Path) -> None:
    from transformers import WhisperConfig

    WhisperForAudioClassification(WhisperConfig(**SIZES, num_labels=2)).save_pretrained(folder)


def _no_index(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")


def _no_shard(folder: Path) -> None:
    _no_index(folder)
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _other_tokenizer(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    for token in tokenizer["added_tokens"]:
        token["id"] -= 1
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def _tokenizer_grown_alone(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["added_tokens"].append({**tokenizer["added_tokens"][-1], "id": 51865, "content": "kubernetes"})
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


EMBEDDING, FIRST = "model.decoder.embed_tokens.weight", "model.encoder.layers.0.fc1.weight"
REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no tokenizer": (_no_tokenizer, r"holds no tokenizer: copy tokenizer\.json from the model"),
    "words of another tokenizer": (_other_tokenizer, "starts a transcript with token 50257, its configuration with"),
    "tokenizer grown alone": (_tokenizer_grown_alone, "has 51866 tokens, its weights have 51865: call model.resize"),
    "damaged tokenizer": (lambda folder: (folder / "tokenizer.json").write_text("{"), "is not JSON: copy"),
    "empty tokenizer": (lambda folder: (folder / "tokenizer.json").write_text("{}"), "damaged, or no Whisper's: copy"),
    "damaged merges": (
        lambda folder: [(folder / "tokenizer.json").unlink(), (folder / "merges.txt").write_text("a b c\n")],
        r"merges\.txt is damaged: copy",
    ),
    "merges of others": (
        lambda folder: [(folder / "tokenizer.json").unlink(), (folder / "merges.txt").write_text("ab cdefgh\n")],
        "do not belong together",
    ),
    "adapter alone": (_lora, r"holds an adapter \(LoRA\), not a whole model: merge the adapter first"),
    "adapter beside": (lambda folder: (folder / "adapter_config.json").write_text("{}"), "merge the adapter first"),
    "pickle": (_pickled, r"holds no model\.safetensors; .* load it with transformers and call save_pretrained"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "copy or download the weights too"),
    "cut short": (_cut_short, "is cut short or damaged"),
    "empty weights": (lambda folder: (folder / "model.safetensors").write_bytes(b""), "is cut short or damaged"),
    "Git LFS": (
        lambda folder: (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n"),
        "is a Git LFS pointer, not the weights: run `git lfs pull`",
    ),
    "no index": (_no_index, r"lacks model\.safetensors\.index\.json"),
    "no shard": (_no_shard, r"lacks model-00002-of-00002\.safetensors of its weights"),
    "a tensor less": (_weights(lambda found: found.pop(FIRST)), f"they lack {re.escape(FIRST)}; save the whole model"),
    "an adapter left in": (
        _weights(lambda found: found.update({"model.encoder.layers.0.fc1.lora_A.weight": torch.ones(2, 2)})),
        "they also hold model.encoder.layers.0.fc1.lora_A.weight",
    ),
    "other shapes": (_config(decoder_ffn_dim=512), "is 256 × 64, where 512 × 64 is expected"),
    "layers less": (_config(encoder_layers=2), "they lack model.encoder.layers.1"),
    "not a number": (_weights(lambda found: found[FIRST].fill_(torch.nan)), f"not finite, in {re.escape(FIRST)}"),
    "infinite": (_weights(lambda found: found[FIRST][0].fill_(torch.inf)), "not finite"),
    "eight bits": (_weights(lambda found: found.update({FIRST: found[FIRST].to(torch.int8)})), r"quantized \(I8\)"),
    "quantized": (_config(quantization_config={"quant_method": "bitsandbytes"}), "quantized by bitsandbytes"),
    "an output layer of its own": (
        _weights(lambda found: found.update({"proj_out.weight": found[EMBEDDING] + 1})),
        "output layer of .* is another matrix than its token embedding",
    ),
    "another kind": (_bert, "holds a model of type bert, not a Whisper"),
    "a classifier": (_classifier, "holds a WhisperForAudioClassification, which does not transcribe"),
    "CTranslate2": (_ctranslate2, "a model of CTranslate2 or faster-whisper; give the Hugging Face Whisper"),
    "openai-whisper": (
        lambda folder: [(folder / "config.json").unlink(), (folder / "tiny.pt").touch()],
        "a checkpoint of openai-whisper",
    ),
    "no config": (lambda folder: (folder / "config.json").unlink(), r"holds no config\.json: give the folder"),
    "damaged config": (lambda folder: (folder / "config.json").write_text("{,"), r"config\.json is not JSON"),
    "half a config": (_config(d_model=None), "it lacks 'd_model'"),
    "a config of words": (_config(d_model="wide"), "d_model is no number of a Whisper's"),
    "short windows": (_config(max_source_positions=750), r"windows have 750 positions, not 1500 \(30 s\)"),
    "short transcripts": (_config(max_target_positions=100), "transcripts hold 100 tokens, not 448"),
    "odd heads": (_config(encoder_attention_heads=5), "width of 64 is no multiple of its heads"),
    "no layers": (_config(decoder_layers=0), "it has no layers"),
    "another activation": (_config(activation_function="relu"), "activation is relu, not gelu"),
    "scaled embeddings": (_config(scale_embedding=True), "scales its embeddings"),
    "other features": (
        lambda folder: edit(folder / "preprocessor_config.json", feature_size=128),
        "feature_size is 128, not 80; copy preprocessor_config.json",
    ),
    "made here": (_config(adaptwin_plan={}), "a model that AdaPTwin made"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_cannot_be_a_base_is_refused_in_one_sentence(fault: str, whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "saved")
    break_it, told = REFUSED[fault]
    break_it(folder)
    with pytest.raises(AdaptwinError, match=told) as refused:
        resolve(f"folder:{folder}", tmp_path / "cache")
    assert "\n" not in refused.value.message
    assert len(refused.value.message) < 400
    assert not (tmp_path / "cache").exists()
