"""The card of a model and of an export: what the Hugging Face Hub reads at its head, its picture and its lines."""

import json
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from adaptwin_core.domain.exports import CHECKPOINT, FORMATS
from adaptwin_core.domain.snippets import snippet
from adaptwin_core.ml.base.sources import PACKAGES, hub_id_of
from adaptwin_core.ml.evaluation.hub_metadata import hub_metadata
from adaptwin_core.ml.exports.export_card import export_card
from tests.arch.pages import READER
from tests.unit.ml.concluded_job import SAID, WORSE, concluded

OTHERS = {"base:general": SAID, "compressed:general": WORSE}
VERDICT = {
    "reference": "transcripts",
    "num_clips": 10,
    "unit": "word",
    "error_rate": 0.125,
    "checkpoint_error_rate": 0.1,
    "is_offered": True,
    "why": None,
}


@pytest.fixture
def made(tmp_path: Path):
    """Return the files and the report of a model that was judged on its speaker and on others."""
    return concluded(tmp_path, "de", SAID, {"base:speaker": SAID, "compressed:speaker": WORSE, **OTHERS}, general=SAID)


def test_the_hub_reads_base_language_licence_task_and_results(made):
    files, _ = made
    found = ModelCard.load(files["README.md"]).data.to_dict()
    index = found.pop("model-index")
    assert found == {
        "language": ["de"],
        "license": "mit",
        "base_model": "openai/whisper-base",
        "base_model_relation": "finetune",
        "library_name": "transformers",
        "pipeline_tag": "automatic-speech-recognition",
        "tags": ["whisper", "adaptwin", "one-speaker"],
        "metrics": ["wer"],
    }
    (model,) = index
    assert model["name"] == "whisper-base for one speaker"
    assert [result["dataset"] for result in model["results"]] == [
        {"type": "private", "config": "speaker", "name": "Held-out speech of this speaker", "split": "test"},
        {"type": "private", "config": "general", "name": "Held-out speech of others", "split": "test"},
    ]
    for result in model["results"]:
        assert result["task"]["type"] == "automatic-speech-recognition"
        assert result["metrics"] == [{"type": "wer", "value": 14.29, "name": "Word error rate, %"}]


def test_characters_are_told_as_such(tmp_path):
    said = ["今日はいい天気ですね。"] * 12
    heard = {"base:speaker": said, "compressed:speaker": ["今日はいい元気ですね。"] * 12}
    files, _ = concluded(tmp_path, "ja", said, heard)
    data = ModelCard.load(files["README.md"]).data
    assert data.metrics == ["cer"]
    assert [(result.metric_type, result.metric_value) for result in data.eval_results] == [("cer", 10.0)]


def test_what_no_transcript_vouches_for_is_no_result(tmp_path):
    heard = {"base:speaker": SAID[:2], "compressed:speaker": WORSE[:2]}
    files, _ = concluded(tmp_path, "de", [None, None], heard)
    found = ModelCard.load(files["README.md"]).data.to_dict()
    assert {"model-index", "model_name", "metrics"}.isdisjoint(found)


def test_what_is_not_known_of_the_base_model_is_left_out(made):
    _, report = made
    found = hub_metadata(report | {"base_hub_id": None}, form=CHECKPOINT, licence=None, rates=[]).to_dict()
    assert {"base_model", "base_model_relation", "license"}.isdisjoint(found)


def test_a_language_is_told_by_its_code_in_iso_639(made):
    _, report = made
    spoken = report | {"vocabulary": {"languages": ["en", "jw"]}}
    assert hub_metadata(spoken, form=CHECKPOINT, licence=None, rates=[]).language == ["en", "jv"]


@pytest.mark.parametrize(
    ("source", "hub_id"),
    [
        ("hub:ada/whisper-small-de@main", "ada/whisper-small-de"),
        ("hub:openai/whisper-tiny", "openai/whisper-tiny"),
        ("folder:/home/ada/my-whisper", None),
        *((f"package:{name}", f"openai/{name}") for name in PACKAGES),
    ],
)
def test_a_base_model_is_named_as_the_hub_names_it(source, hub_id):
    assert hub_id_of(source) == hub_id


def test_the_picture_lies_beside_the_card_and_is_told_in_words(made):
    files, report = made
    tokens = [child for token in READER.parse(files["README.md"].read_text()) for child in token.children or []]
    (image,) = (token for token in tokens if token.type == "image")
    assert files[image.attrs["src"]].read_bytes().startswith(b"\x89PNG")
    original, compressed = (report["size"][model]["total_params"] / 1e6 for model in ("original", "compressed"))
    assert image.content == (
        "Word error rate of this speaker: 0.0 % (original, whole windows), 14.3 % (compressed, fitted windows), 14.3 % "
        "(compressed, whole windows); word error rate of other speakers: 0.0 % (original, whole windows), 14.3 % "
        f"(compressed, fitted windows), 14.3 % (compressed, whole windows); parameters: {original:.1f} million "
        f"(original), {compressed:.1f} million (compressed)"
    )


def test_a_model_without_held_out_speech_has_a_picture_too(tmp_path):
    files, _ = concluded(tmp_path, "de", [], {})
    assert "![Parameters: " in files["README.md"].read_text()


def test_a_card_names_neither_recordings_nor_folders(made, tmp_path):
    files, report = made
    for card in (files["README.md"].read_text(), *(export_card(f, report, VERDICT, licence="MIT") for f in FORMATS)):
        assert str(tmp_path) not in card
        assert "train-0" not in card
        assert "test-0" not in card


def test_the_models_card_shows_its_lines_and_every_other_form(made):
    files, report = made
    card = files["README.md"].read_text()
    assert snippet(CHECKPOINT, language="de", margin_s=report["window"]["margin_s"]) in card
    assert all(f"| `{form}` |" in card for form in FORMATS)


@pytest.mark.parametrize("form", FORMATS)
def test_an_exports_card_tells_of_the_export(form, made):
    _, report = made
    card = ModelCard(export_card(form, report, VERDICT, licence="MIT"))
    assert card.data.base_model == "openai/whisper-base"
    assert [result.metric_value for result in card.data.eval_results] == [12.5]
    assert "its word error rate for this speaker is 12.5 %." in card.text
    assert "That of the model itself is 10.0 %, on the same 10 held-out clips, against transcripts." in card.text
    assert snippet(form, language="de", margin_s=report["window"]["margin_s"]) in card.text
    json.dumps(card.data.to_dict())  # plain values only


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (None, "It was not tested on speech."),
        ({"num_clips": 0, "is_offered": True, "why": "no clips were held out"}, "no clips were held out."),
        (VERDICT | {"reference": "the checkpoint's own output"}, "against the checkpoint's own output."),
    ],
)
def test_an_export_has_results_only_against_transcripts(verdict, told, made):
    _, report = made
    card = ModelCard(export_card("ct2-int8", report, verdict, licence=None))
    assert told in card.text
    assert {"model-index", "metrics", "license"}.isdisjoint(card.data.to_dict())
