"""The set's audio files, as far as a transcript file can be recognized by their names."""

from collections.abc import Iterable

from adaptwin_core.speech.files.sources import audio_stem, base, label


class RecordingNames:
    """Tells whether a name is one of the set's recordings: by last part, with or without extension, in any case."""

    def __init__(self, audio_names: Iterable[str]) -> None:
        self._known = {base(name).casefold() for name in audio_names}
        self._known |= {audio_stem(name) for name in self._known}

    def __contains__(self, name: str) -> bool:
        plain = base(label(name.strip())).casefold()
        return plain in self._known or audio_stem(plain) in self._known


def is_audio_name(name: str) -> bool:
    """Tell whether a name ends as audio files do."""
    return audio_stem(name.strip()) != name.strip()
