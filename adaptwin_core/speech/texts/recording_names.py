"""The names of the set's audio files, by which names in transcript files are recognized."""

from collections.abc import Iterable

from adaptwin_core.speech.files.sources import audio_stem, base, label


class RecordingNames:
    """Tells whether a name is one of the set's recordings. Folders, case and audio extensions do not matter."""

    def __init__(self, audio_names: Iterable[str]) -> None:
        self._known = {base(name).casefold() for name in audio_names}
        self._known |= {audio_stem(name) for name in self._known}

    def __contains__(self, name: str) -> bool:
        plain = base(label(name.strip())).casefold()
        return plain in self._known or audio_stem(plain) in self._known


def is_audio_name(name: str) -> bool:
    """Tell whether a name has the extension of an audio file."""
    return audio_stem(name.strip()) != name.strip()
