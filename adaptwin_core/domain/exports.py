"""The formats that a finished model can be exported to."""

from dataclasses import dataclass
from typing import Final, Literal

ExportName = Literal[
    "dense",
    "ct2-float16",
    "ct2-int8",
    "onnx-float32",
    "onnx-int8",
    "sherpa-float32",
    "sherpa-int8",
    "ggml-float16",
    "ggml-q8_0",
    "ggml-q5_0",
]


@dataclass(frozen=True)
class ExportFormat:
    """A format of one runtime.

    `is_exact` says that weights and features are the checkpoint's, so greedy decoding gives the same text.
    `takes_fitted_windows` says that it can be given windows that end soon after the sound. `note` helps a person to
    choose.
    """

    name: ExportName
    runtime: str
    note: str
    is_exact: bool = False
    takes_fitted_windows: bool = True


CHECKPOINT: Final = "checkpoint"  # the model itself, which every export is made of
FORMATS: Final[dict[str, ExportFormat]] = {
    form.name: form
    for form in (
        ExportFormat(
            "dense",
            "transformers",
            "Hugging Face folder of stock shape: loads with no code of ours, and is as large as the original",
            takes_fitted_windows=False,
        ),
        ExportFormat("ct2-float16", "ctranslate2", "for faster-whisper and what is built on it"),
        ExportFormat("ct2-int8", "ctranslate2", "for faster-whisper, computed in 8 bits"),
        ExportFormat("onnx-float32", "onnxruntime", "for onnxruntime and transformers.js", is_exact=True),
        ExportFormat("onnx-int8", "onnxruntime", "for onnxruntime and, in the browser, transformers.js: 8 bits"),
        ExportFormat("sherpa-float32", "sherpa-onnx", "for sherpa-onnx on phones and small boards"),
        ExportFormat("sherpa-int8", "sherpa-onnx", "for sherpa-onnx on phones and small boards"),
        ExportFormat("ggml-float16", "whisper.cpp", "for whisper.cpp; not smaller than the original"),
        ExportFormat("ggml-q8_0", "whisper.cpp", "for whisper.cpp in 8 bits; not smaller than the original in 8"),
        ExportFormat("ggml-q5_0", "whisper.cpp", "for whisper.cpp in 5 bits; not smaller than the original in 5"),
    )
}
