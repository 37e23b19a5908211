"""What a person waits from the end of an utterance to its text:
`python -m bench.latency --model FOLDER --speech FOLDER`.

The stock Whisper hears whole windows, as its runtimes use it, and the finished model hears the windows that it was
published for. Both hear every utterance in turn, so that noise of the machine hits both.
"""

import argparse
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from adaptwin_core.domain.exports import FORMATS
from adaptwin_core.ml.evaluation.manifest import read_manifest
from adaptwin_core.ml.exports import formats
from adaptwin_core.ml.model.quiet import quiet_transformers
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits
from bench.finished import OURS, STOCK, finished_command_line, save_original
from bench.latency.parts import Timed, timed
from bench.latency.rows import rows_of
from bench.latency.utterances import utterances
from bench.runner import Run, machine, parsed

TIMED = tuple(form for form in FORMATS if form.startswith(("ct2", "onnx", "ggml")))  # runtimes that tell parts apart
RUNTIMES = ("ctranslate2", "onnxruntime", "pywhispercpp")
QUICK = {"out": Path("var/latency-quick.json"), "clips": 2, "seconds": (2.0, 4.0), "forms": ("ct2-int8",)}


def main() -> None:
    options = _options()
    quiet_transformers()
    manifest = read_manifest(options.model)
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        corpus = build_corpus(read_folder(options.speech), work / "speech", Limits())
        run = Run(options.out, _how_made(options, manifest, corpus))
        models = {STOCK: work / STOCK, OURS: options.model}
        save_original(manifest, options.base, options.cache, models[STOCK])
        for form in options.forms:
            if not all(run.has(form=form, seconds=seconds, model=OURS) for seconds in options.seconds):
                _measure(run, options, manifest, corpus, form, models, work / form)


def _measure(
    run: Run,
    options: argparse.Namespace,
    manifest: dict[str, Any],
    corpus: Corpus,
    form: str,
    models: dict[str, Path],
    work: Path,
) -> None:
    """Add the rows of one form that are missing."""
    language, margins = manifest["settings"]["language"], {STOCK: None, OURS: manifest["margin_s"]}
    recognizers = dict[str, Timed]()
    for name, checkpoint in models.items():
        formats.write(form, checkpoint, work / name)
        loaded = formats.load(form, work / name, language, margin_s=margins[name], threads=options.threads)
        recognizers[name] = timed(loaded)
    # torch makes the features alone, where a second thread costs more than it saves on a busy machine. It is set here,
    # because loading a model in CTranslate2 sets torch's threads, too.
    torch.set_num_threads(1)
    for seconds in options.seconds:
        if run.has(form=form, seconds=seconds, model=OURS):
            continue
        said = utterances(corpus, seconds, options.clips)
        for recognizer in recognizers.values():
            recognizer(said[0].audio)  # the first of a length is slower: buffers are made
        heard = [{name: recognizer(one.audio) for name, recognizer in recognizers.items()} for one in said]
        for row in rows_of(said, {name: [one[name] for one in heard] for name in models}, language):
            run.add({"form": form, "seconds": seconds, **row})


def _how_made(options: argparse.Namespace, manifest: dict[str, Any], corpus: Corpus) -> dict[str, Any]:
    return {
        "model": manifest["base_model"]["model"],
        "settings": manifest["settings"],
        "margin_s": manifest["margin_s"],
        "speech": options.speech.name,
        "corpus": corpus.digest,
        "clips": options.clips,
        "runtimes": {name: version(name) for name in RUNTIMES},
        **machine(),
        "threads": options.threads,
    }


def _options() -> argparse.Namespace:
    parser = finished_command_line(__doc__, "latency")
    parser.add_argument("--clips", type=int, default=20, help="utterances of each length")
    parser.add_argument("--seconds", type=float, nargs="+", default=(2.0, 4.0, 8.0, 16.0), help="their lengths")
    parser.add_argument("--forms", nargs="+", choices=TIMED, default=("ct2-int8", "onnx-int8", "ggml-q8_0"))
    parser.add_argument("--threads", type=int, default=2, help="of each runtime")
    return parsed(parser, QUICK)


if __name__ == "__main__":
    main()
