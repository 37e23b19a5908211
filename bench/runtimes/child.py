"""One form of one model in a process of its own, so that the peak of its memory is its own: prints one line of JSON.

`python -m bench.runtimes.child FORM FOLDER CORPUS NUM_CLIPS LANGUAGE THREADS`
"""

import json
import sys
from pathlib import Path

import torch

from adaptwin_core.ml.evaluation.scoring import score
from adaptwin_core.ml.exports import formats
from adaptwin_core.ml.exports.acceptance import HeldOutSet, transcribe_held_out
from adaptwin_core.ml.model.quiet import quiet_transformers
from adaptwin_core.speech.corpus import Corpus
from bench.word_errors import judged_clips

KIB_PER_MB = 1e3 / 1.024


def main() -> None:
    form, folder, corpus_folder, num_clips, language, threads = sys.argv[1:]
    quiet_transformers()
    torch.set_num_threads(int(threads))
    corpus = Corpus.load(Path(corpus_folder))
    clips = judged_clips(corpus, int(num_clips))
    held_out = HeldOutSet([corpus.audio(clip) for clip in clips], [clip.text for clip in clips])
    before = _most_memory_kib()
    recognizer = formats.load(form, Path(folder), language, margin_s=None, threads=int(threads))
    recognizer(held_out.audios[0])  # the first is slower: buffers are made
    heard = transcribe_held_out(recognizer, held_out)
    found = score([text or "" for text in held_out.texts], heard.texts, language=language)
    peak = _most_memory_kib()
    print(
        json.dumps(
            {
                "wer": [
                    round(100 * rate, 2) for rate in (found.error_rate, found.error_rate_low, found.error_rate_high)
                ],
                "compute_s_per_audio_s": round(heard.compute_s_per_audio_s, 4),
                "peak_memory_mb": round(peak / KIB_PER_MB),
                "before_loading_mb": round(before / KIB_PER_MB),
            }
        )
    )


def _most_memory_kib() -> int:
    """Return the most memory that this process held so far. (getrusage would count what its parent held, too.)"""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])


if __name__ == "__main__":
    main()
