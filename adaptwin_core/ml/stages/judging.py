"""The end of a job: both models hear the same held-out clips, and what they heard becomes a report."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.exports import CHECKPOINT
from adaptwin_core.domain.progress import Progress, silent
from adaptwin_core.ml.base.weights import weight_files
from adaptwin_core.ml.evaluation.manifest import write_manifest
from adaptwin_core.ml.evaluation.report import build_report, compare, held_out, silence, write_report
from adaptwin_core.ml.model.checkpoint import load_compressed
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.transcription import transcribe
from adaptwin_core.ml.model.windows import MAX_TEXT_TOKENS, too_wordy
from adaptwin_core.ml.stages.recipe import Setting

MAX_EXAMPLES = 5  # of recordings that are named


def hear(
    setting: Setting, kind: str, compressed: Path | None, out: Path, progress: Progress = silent
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Transcribe the held-out clips of one kind of speech with the original, or with the compressed model in a folder.

    Args:
        kind: speaker or general.

    Returns:
        texts.json ({clip id: text}), and figures: seconds of compute for each second of audio.
    """
    corpus = setting.speaker if kind == "speaker" else setting.general
    assert corpus is not None, kind
    model = (load_whisper(setting.base_folder) if compressed is None else load_compressed(compressed)).to(device())
    clips = held_out(corpus, kind)
    heard = transcribe(model, setting.featurizer(), corpus, clips, progress)
    path = out / "texts.json"
    path.write_text(
        json.dumps({clip.id: text for clip, text in zip(clips, heard.texts, strict=True)}, ensure_ascii=False)
    )
    return {path.name: path}, {
        "compute_s": heard.compute_s,
        "audio_s": heard.audio_s,
        "threads": torch.get_num_threads(),
    }


def conclude(
    setting: Setting,
    base_model: str,
    base_digest: str,
    texts: dict[str, Path],
    infos: dict[str, dict[str, Any]],
    model_files: dict[str, Path],
    blocks: dict[str, dict[str, Any]],
    out: Path,
    *,
    licence: str | None,
    trials: Sequence[dict[str, float]] = (),
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Score what was heard and write report and manifest beside the model.

    Args:
        texts: texts.json of `hear` by "base:speaker", "compressed:speaker", and with general speech "base:general",
        "compressed:general". infos: figures of `hear` by the same names.
        blocks: figures of `cut_block` by block.
        licence: of the base model, if known.
        trials: of `search_cut`, where an error rate was wanted.

    Returns:
        the report's files, and the report.
    """
    heard = {name: json.loads(path.read_text()) for name, path in texts.items()}
    speech, silent_speech = {}, {}
    for kind, corpus in (("speaker", setting.speaker), ("general", setting.general)):
        clips = held_out(corpus, kind) if corpus is not None else []
        if not clips:
            continue
        by_both = clips, heard[f"base:{kind}"], heard[f"compressed:{kind}"], setting.spec.language
        if (found := silence(*by_both)) is not None:
            silent_speech[kind] = found
        try:
            speech[kind] = compare(*by_both)
        except InvalidInput:  # nobody said a word in these clips: there is nothing to judge
            continue
        speech[kind]["compute_s_per_audio_s"] = {
            label: round(infos[f"{name}:{kind}"]["compute_s"] / infos[f"{name}:{kind}"]["audio_s"], 4)
            for name, label in (("base", "original"), ("compressed", "compressed"))
        }
    datasets = {
        kind: corpus.report()
        for kind, corpus in (("speaker", setting.speaker), ("general", setting.general))
        if corpus is not None
    }
    report = build_report(
        base_model=base_model,
        base_digest=base_digest,
        shape=setting.shape,
        plan=setting.plan,
        spec=setting.spec,
        speech=speech,
        silent_speech=silent_speech,
        bytes_of={
            "original": sum(path.stat().st_size for path in weight_files(setting.base_folder)),
            "compressed": sum(
                path.stat().st_size for name, path in model_files.items() if name.endswith(".safetensors")
            ),
        },
        blocks=blocks,
        trials=trials,
        datasets=datasets,
    )
    if untaught := _untaught(setting):
        report["not_taught"] = untaught
    report_files = write_report(report, out)
    travelling = {**model_files, **report_files}
    manifest = write_manifest(travelling, out, form=CHECKPOINT, report=report, verdict=None, licence=licence)
    return {**report_files, **manifest}, report


def _untaught(setting: Setting) -> dict[str, Any]:
    """Return of each kind of speech how many clips to train on were not taught, as their transcripts are too long."""
    found = {}
    for kind, corpus in (("speaker", setting.speaker), ("general", setting.general)):
        clips = too_wordy(corpus, "train", setting.num_tokens) if corpus is not None else []
        if clips:
            found[kind] = {
                "num_clips": len(clips),
                "recordings": [clip.recording for clip in clips[:MAX_EXAMPLES]],
                "why": f"their transcripts have over {MAX_TEXT_TOKENS} tokens each, more than the model can say of one "
                "clip; cut these recordings into shorter ones",
            }
    return found
