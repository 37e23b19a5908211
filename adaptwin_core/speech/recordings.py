"""The set's audio files, as far as a transcript file can be recognized by their names."""

from collections.abc import Iterable

from adaptwin_core.speech.sources import base, label

# Of files that people name in tables; a file is known as audio by its content only.
_EXTENSIONS = frozenset(
    {
        *("3gp", "aac", "aif", "aifc", "aiff", "alac", "amr", "au", "caf", "flac", "m4a", "m4b", "mka", "mkv", "mov"),
        *("mp2", "mp3", "mp4", "mpga", "oga", "ogg", "opus", "sph", "wav", "wave", "webm", "wma"),
    }
)


class RecordingNames:
    """Tells whether a name is one of the set's recordings: by last part, with or without extension, in any case."""

    def __init__(self, audio_names: Iterable[str]) -> None:
        self._known = {base(name).casefold() for name in audio_names}
        self._known |= {without_extension(name) for name in self._known}

    def __contains__(self, name: str) -> bool:
        plain = base(label(name.strip())).casefold()
        return plain in self._known or without_extension(plain) in self._known


def is_audio_name(name: str) -> bool:
    """Tell whether a name ends as audio files do."""
    before, _, ending = name.strip().rpartition(".")
    return bool(before) and ending.casefold() in _EXTENSIONS


def without_extension(name: str) -> str:
    """Return a name without its ending, where that is one of audio files: `v1.2` stays."""
    return name.rpartition(".")[0] if is_audio_name(name) else name
