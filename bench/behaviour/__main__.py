"""Word times, and loops where nobody speaks: `python -m bench.behaviour --model FOLDER --speech FOLDER`.

A finished model and its original, both exported to CTranslate2 in float16 and run by faster-whisper: greedy, without
its retries, its voice filter and its threshold for silence, each window on its own. So what is seen is the models' own
doing, and worse than what a person sees.
"""

import json
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from faster_whisper import WhisperModel
from rich.console import Console

from adaptwin_core.ml.evaluation.manifest import read_manifest
from adaptwin_core.ml.evaluation.normalizer import normalizer
from adaptwin_core.ml.evaluation.scoring import score
from adaptwin_core.ml.exports import formats
from adaptwin_core.ml.stages.recipe import quiet_transformers
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits
from bench.behaviour.loops import looped_words
from bench.behaviour.sounds import ten_minutes, wordless
from bench.behaviour.word_times import Word, differences, summary, words_of
from bench.finished import finished_options, save_original
from bench.word_errors import judged_clips

FORM = "ct2-float16"
LIBRARIES = ("ctranslate2", "faster-whisper", "transformers")


def main() -> None:
    options = finished_options(__doc__, clips=40, out="behaviour").parse_args()
    quiet_transformers()
    console = Console()
    manifest = read_manifest(options.model)
    language = manifest["settings"]["language"]
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        speech = build_corpus(read_folder(options.speech), work / "speech", Limits())
        save_original(manifest, options.base, options.cache, work / "original")
        models = {}
        for name, checkpoint in (("original", work / "original"), ("ours", options.model)):
            formats.write(FORM, checkpoint, work / name / FORM)
            models[name] = WhisperModel(str(work / name / FORM), device="cpu", cpu_threads=torch.get_num_threads())
        clips = judged_clips(speech, options.clips)
        found = [
            differences(*(_words(models[name], speech.audio(clip), language) for name in ("ours", "original")))
            for clip in clips
        ]
        result: dict[str, Any] = {"word_times": summary([one for clip in found for one in clip]), "sounds": {}}
        for sound, samples in wordless().items():
            result["sounds"][sound] = {name: _loops(model, samples, language) for name, model in models.items()}
            console.print(sound, result["sounds"][sound])
        samples, words = ten_minutes(speech)
        result["ten_minutes"] = {name: _long(model, samples, words, language) for name, model in models.items()}
        result["ten_minutes"]["spoken"] = {"looped_words": looped_words(normalizer(language)(words).split())}
    result["how"] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": manifest["base_model"]["model"],
        "settings": manifest["settings"],
        "speech": options.speech.name,
        "clips": len(clips),
        "decoding": "faster-whisper, greedy, at temperature 0 only, no voice filter, no silence threshold",
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    options.out.write_text(json.dumps(result, indent=2) + "\n")
    console.print(result["word_times"], result["ten_minutes"])


def _heard(model: WhisperModel, samples: np.ndarray, language: str, *, word_times: bool = False) -> list[Any]:
    segments, _ = model.transcribe(
        samples,
        language=language,
        beam_size=1,
        temperature=0.0,
        condition_on_previous_text=False,
        no_speech_threshold=None,
        word_timestamps=word_times,
    )
    return list(segments)


def _words(model: WhisperModel, samples: np.ndarray, language: str) -> list[Word]:
    return words_of(_heard(model, samples, language, word_times=True), language)


def _text(model: WhisperModel, samples: np.ndarray, language: str) -> str:
    return " ".join(segment.text.strip() for segment in _heard(model, samples, language))


def _loops(model: WhisperModel, samples: np.ndarray, language: str) -> dict[str, Any]:
    text = _text(model, samples, language)
    words = normalizer(language)(text).split()
    return {"words": len(words), "looped_words": looped_words(words), "text": text[:200]}


def _long(model: WhisperModel, samples: np.ndarray, words: str, language: str) -> dict[str, Any]:
    text = _text(model, samples, language)
    heard = normalizer(language)(text).split()
    return {
        "wer": round(100 * score([words], [text], language=language).error_rate, 2),
        "words": len(heard),
        "looped_words": looped_words(heard),
    }


if __name__ == "__main__":
    main()
