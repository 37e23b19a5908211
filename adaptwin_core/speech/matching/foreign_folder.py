"""Tells whether a text may belong to a recording of the same name in another folder.

`text/day1/001.txt` belongs to `audio/day1/001.wav`, since the paths differ only in the kind of file. `day2/001.txt`
does not belong to `day1/001.wav`, since these are two recordings with the same number. In doubt the answer is no: a
clip without a text is better than one with a wrong text.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from enum import Enum

from adaptwin_core.speech.matching.nearest_files import NamedFile, NearestFiles, Nearness, difference
from adaptwin_core.speech.matching.target import Folder, Target

# Names of folders of texts or sound: starts of words, whole words, and words of scripts that have no spaces.
_STARTS = (
    "transcri transkri trascri text txt tekst label subtit untertitel caption script sentence satz sätze saetze prompt "
    "annotat metadat align audio wav flac clip record sound speech utteranc aufnahm sprachaufnahm enregistr grabaci "
    "gravaç gravac registrazion opname geluid nagran nahráv nahrav inspeln optagels ljudfil äänit rekaman szöveg kayıt "
    "текст транскри субтитр аудио звук запис голос κείμεν ηχογρ"
)
_WHOLE = (
    "lab labs meta json csv tsv srt vtt trans testi testo words lyrics teks metin mp3 ogg opus m4a webm voice voices "
    "media data ton töne stimme stimmen sprache son sons voix voz voces voce voci ljud lyd ses suara hang ήχος ήχοι"
)
_ANYWHERE = (
    "文本 文字 字幕 转写 轉寫 音频 音頻 录音 錄音 语音 語音 テキスト 書き起こし 音声 録音 "
    "텍스트 자막 전사 음성 오디오 녹음 نصوص صوت تسجيل متن صدا טקסט תמלול הקלט אודיו पाठ ऑडियो आवाज ข้อความ เสียง"
)
_LETTER = r"[^\W\d_]"
_KINDS = re.compile(
    rf"(?<!{_LETTER})(?:(?:{'|'.join(_STARTS.split())}){_LETTER}*|(?:{'|'.join(_WHOLE.split())})(?!{_LETTER}))"
    rf"|{'|'.join(_ANYWHERE.split())}"
)
_SEPARATORS = " _-.()[]"
_DIGITS = re.compile(r"\d+")


class Fit(Enum):
    """Whether a claim may mean a file."""

    YES = "yes"
    NO = "no"
    WHERE_MOVED = "where moved"  # yes, if all rows of a table that name one folder mean this other one


def fit(target: Target, file: NamedFile, files: NearestFiles, *, is_sidecar: bool) -> Fit:
    """Return whether a claim may mean a file, by the names of the folders that differ in their paths."""
    first, mine, its = difference(target, file.folder)
    if not mine and not its:
        return Fit.YES
    is_inside = file.folder[: len(target.home)] == target.home
    is_named = bool(target.key_folder) and file.folder in _seen_from_above(target)
    holds_own = target.home in (files.holding if is_sidecar else files.above)
    if holds_own and (is_sidecar or not (is_inside or is_named or target.is_absolute)):
        return Fit.NO
    is_real = bool(mine) and target.num_real > first
    own, other = _identities(mine), _identities(its)
    has_kind = len(own) + len(other) < len(mine) + len(its)
    if is_named or own == other or (not (own and other) and (has_kind or not (is_real or (mine and its)))):
        return Fit.YES
    are_siblings = own and other and _DIGITS.sub("", own[-1]) == _DIGITS.sub("", other[-1])
    return Fit.NO if is_sidecar or are_siblings else Fit.WHERE_MOVED


class Moves:
    """Pairs of a folder that a table names and one of the set. A folder was moved only if its pair is the only one."""

    def __init__(self) -> None:
        self._to: dict[Folder, _Closest] = defaultdict(_Closest)
        self._from: dict[Folder, _Closest] = defaultdict(_Closest)

    def note(self, target: Target, files: Iterable[NamedFile], nearness: Nearness) -> None:
        """Note that a table's row may mean these files."""
        for file in files:
            self._to[target.folder].note(file.folder, nearness.num_last)
            self._from[file.folder].note(target.folder, nearness.num_last)

    def is_one(self, target: Target, file: NamedFile) -> bool:
        """Tell whether the rows of the claimed folder mean the file's folder alone, and no other rows mean that."""
        return self._to[target.folder].folders == {file.folder} and self._from[file.folder].folders == {target.folder}


class _Closest:
    """The folders that agree with another path in most parts at its end."""

    def __init__(self) -> None:
        self._num_last = 0
        self.folders: set[Folder] = set()

    def note(self, folder: Folder, num_last: int) -> None:
        if num_last > self._num_last:
            self._num_last = num_last
            self.folders.clear()
        if num_last == self._num_last:
            self.folders.add(folder)


def _seen_from_above(target: Target) -> set[Folder]:
    return {target.home[:depth] + target.key_folder for depth in range(len(target.home))}


def _identities(folders: Folder) -> list[str]:
    """Return what is left of folders' names without the words for kinds of files: `day1_text` -> `day1`."""
    return [left for folder in folders if (left := _KINDS.sub("", folder).strip(_SEPARATORS))]
