"""What a person is told of a set: every code has its words, and stands in docs/audio.md."""

from pathlib import Path
from typing import get_args

from adaptwin_core.domain.errors import AudioCode
from adaptwin_core.speech.notices import MESSAGES, NoteCode, WarningCode

PAGE = (Path(__file__).parents[3] / "docs" / "audio.md").read_text("utf-8")
ELSEWHERE = {"invalid_audio", "no_training_speech", "too_little_speech"}  # of jobs, not of sets


def test_every_warning_has_its_words():
    assert set(MESSAGES) == set(get_args(WarningCode))


def test_every_code_is_documented():
    codes = {"same_recording", *get_args(AudioCode), *get_args(WarningCode), *get_args(NoteCode)} - ELSEWHERE
    assert not [code for code in sorted(codes) if f"`{code}`" not in PAGE]
