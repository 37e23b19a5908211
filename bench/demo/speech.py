"""The demo's default speech, all of it synthetic: one hard speaker, and other speakers to stay good at."""

import csv
import json
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ, samples_of, seconds_of
from adaptwin_core.domain.digest import digest_json
from bench.demo import settings
from bench.demo.espeak import espeak

_HERE = Path(__file__).parent
_SILENCE_S = 0.15  # around each sentence, as a person would leave
_LABEL = """# Synthetic speech

`speaker` is spoken by eSpeak NG, a formant synthesizer; `others` by hibari-tts, a neural one, in four variations.
No person's voice is in either. The sentences were written for this demo.
"""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Sentence:
    text: str
    split: str


def speaker_sentences() -> list[Sentence]:
    """Return the sentences of the speaker. Those held out are never trained on, by anybody's voice."""
    lines = (_HERE / "sentences.txt").read_text("utf-8").splitlines()
    return [
        Sentence(text, "test" if i % 8 == 3 else "valid" if i % 20 == 0 else "train") for i, text in enumerate(lines)
    ]


def other_sentences() -> list[Sentence]:
    """Return the sentences of the others: their own, a third of them held out, and some that the speaker trains on."""
    own = (_HERE / "others.txt").read_text("utf-8").splitlines()
    shared = [sentence for sentence in speaker_sentences() if sentence.split == "train"]
    return [Sentence(text, "test" if i % 3 == 0 else "train") for i, text in enumerate(own)] + shared[
        :: settings.OTHERS_SAY_EVERY
    ]


def make_speech(folder: Path, say: Say) -> tuple[Path, Path]:
    """Make the folders of both, unless they are there already, and return them: the speaker's and the others'."""
    speaker = [(s, settings.SPEAKER_VOICE) for s in speaker_sentences()]
    _make(folder / "speaker", speaker, _espeak_voices, say)
    voices = settings.OTHER_VOICES
    others = [(s, json.dumps(voices[i % len(voices)])) for i, s in enumerate(other_sentences())]
    _make(folder / "others", others, _hibari_voices, say)
    (folder / "README.md").write_text(_LABEL)
    return folder / "speaker", folder / "others"


def packed(speech: Path, folder: Path) -> Path:
    """Return a file to upload: the speech itself if it is one file, else a tar of the folder."""
    if speech.is_file():
        return speech
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{speech.name}.tar"
    with tarfile.open(target, "w") as tar:
        for path in sorted(speech.rglob("*")):
            inside = path.relative_to(speech)
            if path.is_file() and not any(part.startswith(".") for part in inside.parts):
                tar.add(path, arcname=str(inside), recursive=False)
    return target


Clips = list[tuple[Sentence, str]]


def _make(folder: Path, clips: Clips, synthesize: Callable[[Clips], Iterable[np.ndarray]], say: Say) -> None:
    stamp, digest = folder / ".digest", digest_json([[s.text, s.split, voice] for s, voice in clips])
    if stamp.exists() and stamp.read_text() == digest:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    seconds = 0.0
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "transcription", "split"])
        silence = np.zeros(samples_of(_SILENCE_S), np.float32)
        for index, ((sentence, _), audio) in enumerate(zip(clips, synthesize(clips), strict=True)):
            name = f"{folder.name}-{index:04d}.flac"
            whole = np.concatenate([silence, audio, silence])
            soundfile.write(folder / name, whole, SAMPLE_RATE_HZ, subtype="PCM_16")
            table.writerow([name, sentence.text, sentence.split])
            seconds += seconds_of(len(whole))
    stamp.write_text(digest)
    say(f"made {len(clips)} clips, {seconds / 60:.1f} min, of synthetic speech in {folder}")


def _espeak_voices(clips: Clips) -> Iterator[np.ndarray]:
    with espeak(clips[0][1], words_per_minute=settings.SPEAKER_WORDS_PER_MINUTE) as speak:
        for sentence, _ in clips:
            yield soxr.resample(speak(sentence.text), speak.rate_hz, SAMPLE_RATE_HZ)


def _hibari_voices(clips: Clips) -> Iterator[np.ndarray]:
    from hibari import Hibari
    from hibari.g2p import G2P

    readers = {british: Hibari(g2p=G2P(british=british)) for british in (False, True)}
    for index, (sentence, voice) in enumerate(clips):
        factor, british = json.loads(voice)
        # Played faster, a voice is higher, formants and all; spoken slower before, it keeps its pace.
        audio = readers[british](sentence.text, speed=1 / factor, seed=index)
        yield soxr.resample(audio, Hibari.sample_rate * factor, SAMPLE_RATE_HZ)
