"""Transcribes a folder of clips with a model folder: transformers, torch and soundfile, nothing of this project.

Run by path, as someone who was only handed the model would: python transcribe.py MODEL CLIPS OUT.json LANGUAGE
"""

import json
import sys
import time
from pathlib import Path

import soundfile
import torch
from transformers import AutoModelForSpeechSeq2Seq, WhisperProcessor

BATCH = 8
RATE_HZ = 16_000  # of the clips; this file runs without the project, and so imports nothing of it
MAX_TOKENS_PER_S, MIN_NEW_TOKENS, MAX_NEW_TOKENS = 12, 16, 440  # nobody speaks faster; a model that loops stops early


def main(model_folder: str, clips_folder: str, out: str, language: str) -> None:
    model = AutoModelForSpeechSeq2Seq.from_pretrained(
        model_folder, trust_remote_code=True, dtype=torch.float32, local_files_only=True
    ).eval()
    processor = WhisperProcessor.from_pretrained(model_folder, local_files_only=True)
    multilingual = bool(getattr(model.generation_config, "is_multilingual", False))
    spoken = {"language": language, "task": "transcribe"} if multilingual else {}
    with torch.inference_mode():  # the first call pays for setting up, and is not the model's cost
        model.generate(torch.zeros(1, model.config.num_mel_bins, 3000), max_new_tokens=2, **spoken)
    clips = {path.stem: soundfile.read(path, dtype="float32") for path in sorted(Path(clips_folder).glob("*.wav"))}
    names = sorted(clips, key=lambda name: len(clips[name][0]))
    texts: dict[str, str] = {}
    compute_s = 0.0
    for start in range(0, len(names), BATCH):
        batch = names[start : start + BATCH]
        audios = [clips[name][0] for name in batch]
        longest_s = max(len(audio) for audio in audios) / RATE_HZ
        began = time.perf_counter()
        features = processor(audios, sampling_rate=RATE_HZ, return_tensors="pt").input_features
        limit = min(MAX_NEW_TOKENS, int(MIN_NEW_TOKENS + MAX_TOKENS_PER_S * longest_s))
        with torch.inference_mode():
            ids = model.generate(features, do_sample=False, num_beams=1, max_new_tokens=limit, **spoken)
        compute_s += time.perf_counter() - began
        texts |= dict(zip(batch, processor.batch_decode(ids, skip_special_tokens=True), strict=True))
    encoder = model.get_encoder()
    positions = encoder.embed_positions.weight.numel()
    result = {
        "texts": texts,
        "compute_s": compute_s,
        "audio_s": sum(len(audio) / RATE_HZ for audio, _ in clips.values()),
        "encoder_params": sum(parameter.numel() for parameter in encoder.parameters()) - positions,
        "total_params": model.num_parameters(),
        "weights_bytes": sum(path.stat().st_size for path in Path(model_folder).glob("*.safetensors")),
        "threads": torch.get_num_threads(),
        "model_class": type(model).__name__,
        "uses_this_project": any(name.startswith("adaptwin_core") for name in sys.modules),
    }
    Path(out).write_text(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:5])
