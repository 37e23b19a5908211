"""The same way with the real tiny.en and synthetic speech: the result still hears, and loads anywhere, browsers too."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from openai import OpenAI

from adaptwin_core.domain.exports import CHECKPOINT
from adaptwin_core.ml.evaluation.scoring import score
from adaptwin_core.ml.exports import formats
from tests.e2e.listening_page import chromium, heard_in_the_page
from tests.running_service import Service, running_service

pytestmark = [pytest.mark.e2e, pytest.mark.weights, pytest.mark.release]

SENTENCES = Path(__file__).parents[2] / "bench" / "demo" / "sentences.txt"
NUM_CLIPS = 24
RATE_HZ = 16_000

# Each runtime prints when each word starts, and the words.
TRANSFORMERS = """
import sys; sys.modules["adaptwin_core"] = None
import soundfile, torch
from transformers import pipeline
folder, clip = sys.argv[1:]
hear = pipeline("automatic-speech-recognition", model=folder, trust_remote_code=True, dtype=torch.float32)
samples, rate_hz = soundfile.read(clip, dtype="float32")
heard = hear({"raw": samples, "sampling_rate": rate_hz}, return_timestamps="word")
print(" ".join(str(word["timestamp"][0]) for word in heard["chunks"]), "|", heard["text"])
"""

# With its voice activity filter
FASTER = """
import sys; sys.modules["adaptwin_core"] = None
from faster_whisper import WhisperModel
folder, clip = sys.argv[1:]
segments, _ = WhisperModel(folder, device="cpu").transcribe(clip, beam_size=1, word_timestamps=True, vad_filter=True)
words = [word for segment in segments for word in segment.words]
print(" ".join(str(word.start) for word in words), "|", "".join(word.word for word in words))
"""


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences read by hibari-tts, in the LJSpeech form."""
    from hibari import Hibari

    folder = tmp_path_factory.mktemp("speech")
    reader = Hibari()
    sentences = [line.strip() for line in SENTENCES.read_text().splitlines() if line and not line.startswith("#")]
    rows = []
    for index, sentence in enumerate(sentences[:NUM_CLIPS]):
        audio = soxr.resample(reader(sentence, seed=index), Hibari.sample_rate, RATE_HZ)
        soundfile.write(folder / f"clip{index:02d}.wav", audio, RATE_HZ)
        rows.append(f"clip{index:02d}|{sentence}|{sentence}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running_service("package:whisper-tiny.en") as running:
        yield running


@pytest.fixture(scope="module")
def manifest(service: Service, speech: Path) -> dict[str, Any]:
    """Of a model made for that speech."""
    dataset = service.upload("synthetic", speech)
    return service.finish(
        service.submit(dataset, encoder_cut=0.2, calibration_windows=6, personal_steps=6, tune_steps=2), 280
    )


@pytest.fixture(scope="module")
def spoken(service: Service, manifest: dict[str, Any], speech: Path) -> tuple[Path, str]:
    """A clip that the model was not tuned on, and its words."""
    (dataset,) = service.client.get("/v1/datasets").json()["items"]
    clips = service.client.get(f"/v1/datasets/{dataset['id']}/clips?limit=200").json()["items"]
    clip = next(clip for clip in clips if clip["split"] == "test")
    return speech / clip["recording"], clip["text"]


def words_of(text: str) -> set[str]:
    return set(text.lower().replace(",", "").replace(".", "").split())


def test_tiny_en_made_smaller_still_hears(
    service: Service, manifest: dict[str, Any], speech: Path, spoken: tuple[Path, str], tmp_path: Path
) -> None:
    folder = service.download(manifest, tmp_path / "model")
    exported = service.export("ct2-int8", tmp_path / "ct2", 120)
    found = manifest["speech"]["speaker"]
    assert manifest["plan"]["encoder_cut"] >= 0.2
    assert found["reference"] == "transcripts"
    assert found["original"]["wer"] < 0.2, "the original should hear this voice well"
    assert found["compressed"]["wer"] < found["original"]["wer"] + 0.1
    for kept in (folder, tmp_path / "ct2"):
        verify = [sys.executable, "-m", "adaptwin_core.cli.main", "verify", str(kept), "--audio", str(speech)]
        checked = subprocess.run(verify, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        assert "word error rate" in checked.stderr
    assert exported["verdict"]["num_clips"] == found["num_clips"]
    assert exported["verdict"]["checkpoint_wer"] == pytest.approx(found["compressed"]["wer"])
    clip, text = spoken
    for runtime, kept in ((TRANSFORMERS, folder), (FASTER, tmp_path / "ct2")):
        heard = subprocess.run(
            [sys.executable, "-c", runtime, str(kept), str(clip)],
            capture_output=True,
            text=True,
            env={"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"},
            check=False,
        )
        assert heard.returncode == 0, heard.stderr[-2000:]
        times, _, said = heard.stdout.strip().rpartition("|")
        words = words_of(text)
        assert len(words & words_of(said)) > len(words) / 2, (text, heard.stdout)
        starts = [float(start) for start in times.split()]
        assert starts == sorted(starts)
        assert 0 <= starts[0] < starts[-1] < soundfile.info(clip).duration


def test_it_is_tried_over_rest_with_the_words_of_the_report(
    service: Service, manifest: dict[str, Any], speech: Path, tmp_path: Path
) -> None:
    (dataset,) = service.client.get("/v1/datasets").json()["items"]
    clips = service.client.get(f"/v1/datasets/{dataset['id']}/clips?limit=200").json()["items"]
    held_out = [clip for clip in clips if clip["split"] == "test"]
    folder = service.download(manifest, tmp_path / "model")
    hear = formats.load(CHECKPOINT, folder, "en", margin_s=manifest["window"]["margin_s"])
    client = OpenAI(base_url=f"{service.url}/v1", api_key=service.key, max_retries=0)
    texts = []
    for clip in held_out:
        with (speech / clip["recording"]).open("rb") as recording:
            told = client.audio.transcriptions.create(
                model=service.model_id,
                file=recording,
                response_format="verbose_json",
                timestamp_granularities=["word", "segment"],
            )
        samples, _ = soundfile.read(speech / clip["recording"], dtype="float32")
        assert told.text == hear(samples)
        assert [word.word for word in told.words or ()] == told.text.split()
        times = [time for word in told.words or () for time in (word.start, word.end)]
        assert times == sorted(times)
        assert 0 <= times[0] < times[-1] <= len(samples) / RATE_HZ
        texts.append(told.text)
    found = manifest["speech"]["speaker"]["compressed"]["wer"]
    assert score([clip["text"] for clip in held_out], texts, language="en").wer == pytest.approx(found)
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros(4 * RATE_HZ), RATE_HZ, format="WAV")
    assert client.audio.transcriptions.create(model=service.model_id, file=("a.wav", silence.getvalue())).text == ""


@pytest.mark.skipif(
    chromium() is None and "CI" not in os.environ, reason="needs Chromium: install it, or name it in CHROMIUM"
)
def test_the_browser_hears_on_its_own(service: Service, manifest: dict[str, Any], spoken: tuple[Path, str]) -> None:
    clip, text = spoken
    heard = heard_in_the_page(service, clip)
    words = words_of(text)
    for way in ("file", "microphone", "after a reload"):
        assert len(words & words_of(heard[way])) > len(words) / 2, (text, heard)
