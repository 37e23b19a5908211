"""One file as it came from a stranger, decoded in the sandbox: what a person tries a model with."""

from pathlib import Path

import numpy as np

from adaptwin_core.domain.audio import samples_of
from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.files.kinds import not_audio
from adaptwin_core.speech.limits import Limits
from adaptwin_core.speech.sound.recording import Recording
from adaptwin_core.speech.sound.sandbox import Decoder
from adaptwin_core.speech.sound.segment import Samples
from adaptwin_core.speech.sound.sniff import HEAD_BYTES, sniff_archive, sniff_audio

MOST_DECODING_S = 60  # somebody waits


def read_file(path: Path, *, max_s: float) -> Samples:
    """Return the 16 kHz mono samples of an audio file. Silence is no fault of it.

    Raises:
        InvalidAudio: it is not audio, damaged from its start, shorter than 0.2 s, or longer than `max_s`.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise InvalidAudio("the file is empty (0 bytes): export or record it again", code="empty_file")
    if sniff_archive(head) is not None:
        raise InvalidAudio("the file is an archive: send one recording", code="not_audio")
    container = sniff_audio(head)
    if container is None:
        raise not_audio("", head)
    limits = Limits(max_file_cpu_s=MOST_DECODING_S, max_file_wall_s=MOST_DECODING_S)
    with Recording(path.parent) as recording, Decoder(limits) as decoder:
        decoded = decoder.decode(path, container, recording, max_samples=samples_of(max_s))
        if decoded.over_limit:
            raise InvalidAudio(f"the recording lasts over {max_s:g} s: send a shorter one", code="too_long")
        recording.check(is_nonspeech=True)
        return np.concatenate(list(recording.blocks()))
