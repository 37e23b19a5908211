"""What a person is told of a file that is not used: one plain sentence with what to do. Libraries' words go to logs."""

import io
import logging
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.unit.speech.sounds import RATE_HZ, build, encode, voice, wav_bytes, write

# Numbers of errors, names of classes and functions, addresses, and what FFmpeg and libsndfile say.
RAW = re.compile(
    r"Errno|Error|Exception|0x|[<>{}\[\]_]|\bNone\b|libsndfile|FFmpeg|avcodec|Invalid data|unspecified", re.IGNORECASE
)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, str]]:
    """Return files by name: their bytes, and the code they are refused with."""
    folder = tmp_path_factory.mktemp("whole")
    m4a = encode(folder / "a.m4a", voice(2.0), RATE_HZ, "aac").read_bytes()
    webm = encode(folder / "a.webm", voice(2.0, rate_hz=48_000), 48_000, "libopus").read_bytes()
    flac = write(folder / "a.flac", np.random.default_rng(0).normal(0, 0.1, RATE_HZ)).read_bytes()
    ogg = write(folder / "a.ogg", voice(2.0), format="OGG", subtype="VORBIS").read_bytes()
    wav = wav_bytes(2.0, 0)
    zeros = bytes(3_000)
    return {
        "no_index.m4a": (m4a[: m4a.index(b"moov") - 4], "decode_failed"),
        "head_alone.m4a": (m4a[:24] + zeros, "decode_failed"),
        "head_alone.webm": (webm[:40] + zeros, "decode_failed"),
        "head_alone.flac": (flac[:20], "decode_failed"),
        "no_frames.flac": (flac[:42] + zeros, "decode_failed"),
        "head_alone.ogg": (ogg[:60], "decode_failed"),
        "no_format.wav": (b"RIFF\0\0\0\0WAVE" + zeros, "decode_failed"),
        "unknown_codec.wav": (wav[:20] + b"\x99\x99" + wav[22:], "decode_failed"),
        "empty.wav": (wav[:40] + bytes(4), "too_short"),
        "one_sample.wav": (wav[:46], "too_short"),
        "no_head.aiff": (b"FORM\0\0\1\0AIFF" + zeros, "decode_failed"),
        "no_head.caf": (b"caff\0\1\0\0" + zeros, "decode_failed"),
        "no_frames.amr": (b"#!AMR\n", "too_short"),
        "tag_alone.mp3": (b"ID3\x04\0\0\0\0\0\x0a" + zeros, "decode_failed"),
        "too_long_a_tag.mp3": (b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + zeros, "decode_failed"),
        "rate.wav": (wav[:24] + b"\1\0\0\0" + wav[28:], "decode_failed"),
    }


def test_every_refusal_is_one_plain_sentence(
    damaged: dict[str, tuple[bytes, str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "in" / "good.wav", voice(1.0, 1))
    for name, (data, _) in damaged.items():
        (tmp_path / "in" / name).write_bytes(data)
    with caplog.at_level(logging.INFO, logger="adaptwin_core.speech"):
        corpus = build(tmp_path / "in", tmp_path / "out")
    assert {r.name: r.code for r in corpus.rejects} == {name: code for name, (_, code) in damaged.items()}
    for reject in corpus.rejects:
        reason = reject.reason
        assert not RAW.search(reason), reject
        assert ";" in reason, reject  # what is wrong; what to do
        assert 5 < len(reason.split()) < 30, reject
    assert "Invalid data" in caplog.text


@pytest.mark.parametrize("name", ["metadata.xlsx", "text.docx", "table.ods"])
def test_a_document_is_told_what_to_save_it_as(name: str, tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as document:
        document.writestr("xl/workbook.xml", "<x/>")
    write(tmp_path / "in" / "a.wav", voice(1.0, 0), subtype="PCM_16")
    (tmp_path / "in" / name).write_bytes(content.getvalue())
    with zipfile.ZipFile(tmp_path / "in" / "set.zip", "w") as archive:
        archive.writestr(f"set/{name}", content.getvalue())
    told = {reject.name: reject for reject in build(tmp_path / "in", tmp_path / "out").rejects}
    assert set(told) == {name, f"set/{name}"}
    assert all(reject.code == "not_audio" and "save" in reject.reason for reject in told.values())
