"""A folder of a few synthetic sentences, as a person would give it to a bench."""

from pathlib import Path

import soundfile
import soxr

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ

SENTENCES = (
    "Please send the report to the office before nine.",
    "She bought seven apples and a loaf of bread.",
    "The quick brown fox jumps over the lazy dog.",
)


def speech_folder(folder: Path) -> Path:
    """Write each sentence twice, once to train on and once held out, and return the folder."""
    from hibari import Hibari  # slow to import, and few tests need it

    folder.mkdir()
    reader, lines = Hibari(), ["file_name,transcription,split"]
    for index, text in enumerate((*SENTENCES, *SENTENCES)):
        audio = soxr.resample(reader(text, seed=index), Hibari.sample_rate, SAMPLE_RATE_HZ)
        soundfile.write(folder / f"{index}.wav", audio, SAMPLE_RATE_HZ)
        lines.append(f"{index}.wav,{text},{'test' if index < len(SENTENCES) else 'train'}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    return folder
