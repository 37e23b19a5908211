"""Finds by their names the columns of a table that name recordings and hold texts, splits and times."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from adaptwin_core.speech.texts.recording_names import RecordingNames
from adaptwin_core.speech.texts.tables import Row


def _names(*lines: str) -> tuple[str, ...]:
    return tuple(" ".join(lines).split())


# In the order of preference if a table has several.
FILE_NAMES = _names(
    "file_name filename audio_file_name audio_filename file audio_file audio_filepath audio_file_path audio_path path",
    "audio file_path filepath wav_filename wav_file wav_path wav wavs clip clip_path clip_name recording",
    "recording_path sound sound_file media audio_url url utt_id utterance_id uttid audio_id clip_id recording_id",
    "file_id segment_id sample_id id name key",
)
# A text as it was written down comes before its normalized form.
TEXT_NAMES = _names(
    "transcription text txt sentence transcript transcriptions transcripts sentences texts raw_text original_text",
    "raw_transcription original utterance words phrase caption prompt content label_text target_text",
    "ground_truth reference normalized_text normalised_text text_normalized normalized_transcription",
    "normalized_transcript normalized clean_text clean",
)
SPLIT_NAMES = _names("split subset partition set fold")
START_NAMES = _names("offset start start_time begin start_s start_ms begin_time")
END_NAMES = _names("end end_time end_s end_ms end_time_s")
# Names of columns that hold something else.
OTHER_NAMES = _names(
    "speaker speaker_id speaker_name spk spk_id client_id user user_id language lang lang_id locale accent accents",
    "variant gender sex age duration length seconds num_samples samples sampling_rate sample_rate n_frames size",
    "emotion style domain source quality snr score up_votes down_votes phonemes phones phoneme ipa pinyin translation",
    "notes comment date sentence_id sentence_domain segment label target class",
)


@dataclass(frozen=True)
class Columns:
    """Numbers of columns, from 0. In each row, the first of `texts` that is not empty is taken."""

    file: int
    texts: tuple[int, ...]
    split: int | None = None
    start: int | None = None


def plain_name(field: str | None) -> str:
    """Return a column's name as the lists above have it: `Audio File` is audio_file."""
    return "_".join((field or "").strip().casefold().replace("-", " ").replace("_", " ").split())


def is_header(fields: Sequence[str | None], recordings: RecordingNames) -> bool:
    """Tell whether a first row names columns."""
    names = {plain_name(field) for field in fields}
    has_file, has_text = bool(names & set(FILE_NAMES)), bool(names & set(TEXT_NAMES))
    has_times = bool(names & set(START_NAMES)) and bool(names & set(END_NAMES))
    if any(field and field in recordings for field in fields):
        return False
    others = {*SPLIT_NAMES, *OTHER_NAMES}
    if has_file and (has_text or len(names & {*FILE_NAMES, *others}) > 1):
        return True
    return has_text and (has_times or len(names & {*TEXT_NAMES, *others}) > 1)


def by_name(
    header: Sequence[str | None], rows: Sequence[Row], recordings: RecordingNames
) -> tuple[int | None, Columns]:
    """Return the column of files, or None, and the columns of texts, splits and starts that a header names."""
    names = [plain_name(field) for field in header]
    files = _found(names, FILE_NAMES)
    known = {i: sum(_names_one(row, i, recordings) for row in rows) for i in files}
    file = max(files, key=known.__getitem__) if files else None  # the first of those that name as many
    texts = tuple(i for i in _found(names, TEXT_NAMES) if i != file)
    splits, starts = _found(names, SPLIT_NAMES), _found(names, START_NAMES)
    return file, Columns(file or 0, texts, splits[0] if splits else None, starts[0] if starts else None)


def _names_one(row: Row, column: int, recordings: RecordingNames) -> bool:
    field = row.fields[column] if column < len(row.fields) else None
    return bool(field) and str(field) in recordings


def _found(names: Sequence[str], wanted: Collection[str]) -> list[int]:
    return [names.index(name) for name in wanted if name in names]
