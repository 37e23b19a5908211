"""Transcribes a folder of clips with a model folder: transformers, torch and soundfile, nothing of this project.

Run by path, as someone who was only handed the model would: python transcribe.py MODEL CLIPS OUT.json LANGUAGE
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import soundfile
import torch
from transformers import AutoModelForSpeechSeq2Seq, WhisperProcessor

RATE_HZ = 16_000  # of the clips; this file runs without the project, and so imports nothing of it
MAX_TOKENS_PER_S, MIN_NEW_TOKENS, MAX_NEW_TOKENS = 12, 16, 440  # nobody speaks faster; a model that loops stops early


def main(model_folder: str, clips_folder: str, out: str, language: str) -> None:
    model = AutoModelForSpeechSeq2Seq.from_pretrained(
        model_folder, trust_remote_code=True, dtype=torch.float32, local_files_only=True
    ).eval()
    processor = WhisperProcessor.from_pretrained(model_folder, local_files_only=True)
    clips = {path.stem: soundfile.read(path, dtype="float32")[0] for path in sorted(Path(clips_folder).glob("*.wav"))}
    # A model may be made for windows that end soon after the speech. Those that Whisper itself takes are of 30 s.
    margin_s = getattr(model.config, "adaptwin_margin_s", None)
    heard = hear(model, processor, clips, language)
    if margin_s is not None:
        model.config.adaptwin_margin_s = None
    in_whole_windows = hear(model, processor, clips, language) if margin_s is not None else heard
    encoder = model.get_encoder()
    positions = encoder.embed_positions.weight.numel()
    result = {
        **heard,
        "margin_s": margin_s,
        "in_whole_windows": in_whole_windows,
        "audio_s": sum(len(audio) / RATE_HZ for audio in clips.values()),
        "encoder_params": sum(parameter.numel() for parameter in encoder.parameters()) - positions,
        "total_params": model.num_parameters(),
        "weights_bytes": sum(path.stat().st_size for path in Path(model_folder).glob("*.safetensors")),
        "threads": torch.get_num_threads(),
        "model_class": type(model).__name__,
        "uses_this_project": any(name.startswith("adaptwin_core") for name in sys.modules),
    }
    Path(out).write_text(json.dumps(result, ensure_ascii=False))


def hear(model: Any, processor: Any, clips: dict[str, Any], language: str) -> dict[str, Any]:
    """Return the text of each clip, heard one by one, and the seconds of compute for all."""
    multilingual = bool(getattr(model.generation_config, "is_multilingual", False))
    spoken = {"language": language, "task": "transcribe"} if multilingual else {}
    with torch.inference_mode():  # the first call pays for setting up, and is not the model's cost
        model.generate(torch.zeros(1, model.config.num_mel_bins, 3000), max_new_tokens=2, **spoken)
    texts: dict[str, str] = {}
    compute_s = 0.0
    for name, audio in clips.items():
        began = time.perf_counter()
        features = processor(audio, sampling_rate=RATE_HZ, return_tensors="pt").input_features
        limit = min(MAX_NEW_TOKENS, int(MIN_NEW_TOKENS + MAX_TOKENS_PER_S * len(audio) / RATE_HZ))
        with torch.inference_mode():
            ids = model.generate(features, do_sample=False, num_beams=1, max_new_tokens=limit, **spoken)
        compute_s += time.perf_counter() - began
        texts[name] = processor.batch_decode(ids, skip_special_tokens=True)[0]
    return {"texts": texts, "compute_s": compute_s}


if __name__ == "__main__":
    main(*sys.argv[1:5])
