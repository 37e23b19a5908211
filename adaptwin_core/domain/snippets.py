"""The lines of a program that run a finished model in each runtime. Model cards and the documentation show the same.

They name the model "this folder" and the recording "speech.wav". Tests run them with both.
"""

from string import Template
from typing import Final

from adaptwin_core.domain.exports import CHECKPOINT, FORMATS

_PIPELINE: Final = Template("""\
from transformers import pipeline

hear = pipeline("automatic-speech-recognition", model="this folder"$own_class)
# ffmpeg reads the file. Without ffmpeg, give it samples at 16 kHz.
print(hear("speech.wav", return_timestamps=True$language)["text"])
""")
_FASTER_WHISPER: Final = Template("""\
from faster_whisper import WhisperModel

${windows}model = WhisperModel("this folder")
segments, _ = model.transcribe("speech.wav", language="$code")
print(" ".join(segment.text.strip() for segment in segments))
""")
_TRANSFORMERS_JS: Final = Template("""\
import { pipeline } from "@huggingface/transformers";

const { processor, model, tokenizer } = await pipeline("automatic-speech-recognition", "this folder", { dtype: "$dtype" });

async function hear(sound) { // a Float32Array of 16 kHz mono, at most 30 s
  const end = sound.length + 16000 * (model.config.adaptwin_margin_s ?? 30);
  const max_length = Math.min(480000, 320 * Math.ceil(end / 320)); // an even number of frames, at most a whole window
  const { input_features: inputs } = await processor.feature_extractor(sound, { max_length });
  const tokens = await model.generate({ inputs$language });
  return tokenizer.batch_decode(tokens, { skip_special_tokens: true })[0];
}
""")  # noqa: E501  # a line of JavaScript
_SHERPA: Final = Template("""\
import numpy as np
import soundfile
from sherpa_onnx import OfflineRecognizer

recognizer = OfflineRecognizer.from_whisper(
    encoder="this folder/encoder$suffix.onnx",
    decoder="this folder/decoder$suffix.onnx",
    tokens="this folder/tokens.txt",
    language="$code",$tail
)
audio, _ = soundfile.read("speech.wav", dtype="float32")  # 16 kHz mono, at most 29 s
stream = recognizer.create_stream()
stream.accept_waveform(16000, np.pad(audio, (80, $after)))
recognizer.decode_stream(stream)
print(stream.result.text)
""")
_WHISPER_CPP: Final = Template("""\
from pywhispercpp.model import Model

${windows}model = Model("this folder/ggml-model-$weights.bin", language="$code")
print(" ".join(segment.text.strip() for segment in model.transcribe("speech.wav")))  # 16 kHz; others need ffmpeg
""")
_WHOLE_WINDOWS: Final = "# It hears whole windows of 30 s. For fitted windows see docs/exports.md of AdaPTwin.\n"
_ONNX_DTYPES: Final = {"float32": "fp32", "int8": "q8"}
_SHERPA_SUFFIXES: Final = {"float32": "", "int8": ".int8"}


def snippet(form: str, *, language: str, margin_s: float | None) -> str:
    """Return the lines for a form, as a block of Markdown.

    Args:
        form: one of `domain.exports.FORMATS`, or `CHECKPOINT`.
        language: of the speech, by its Whisper code. transformers and transformers.js refuse a language for an
            English-only model, so they are not told of English.
        margin_s: how long after the sound the windows of the model end; None for whole windows.
    """
    kind, _, weights = form.partition("-")
    language_js, language_py = (
        ("", "")
        if language == "en"
        else (f', language: "{language}"', f', generate_kwargs={{"language": "{language}"}}')
    )
    windows = "" if margin_s is None else _WHOLE_WINDOWS
    if kind == CHECKPOINT:
        return _python(_PIPELINE, own_class=", trust_remote_code=True", language=language_py)
    if kind == "dense":
        return _python(_PIPELINE, own_class="", language=language_py)
    if kind == "ct2":
        return _python(_FASTER_WHISPER, code=language, windows=windows)
    if kind == "onnx":
        return _block("js", _TRANSFORMERS_JS, dtype=_ONNX_DTYPES[weights], language=language_js)
    if kind == "sherpa":
        return _python(
            _SHERPA,
            code=language,
            suffix=_SHERPA_SUFFIXES[weights],
            tail="" if margin_s is None else "\n    tail_paddings=1,",
            after="0" if margin_s is None else f"int(16000 * {margin_s:g})",
        )
    if kind == "ggml":
        return _python(_WHISPER_CPP, weights=weights, code=language, windows=windows)
    raise NotImplementedError(f"{form} is no form with lines to run it: there are {', '.join(FORMATS)}")


def _python(template: Template, **values: str) -> str:
    return _block("python", template, **values)


def _block(syntax: str, template: Template, **values: str) -> str:
    return f"```{syntax}\n{template.substitute(values)}```"
