"""Sounds and files for the tests, made on the fly."""

import io
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soundfile

from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import Limits, SourceFile, build_corpus

RATE_HZ = 16_000
Floats = npt.NDArray[np.float32]


class Nowhere:
    """Takes samples and keeps none."""

    def append(self, _data: bytes) -> None:
        pass

    def restart(self) -> None:
        pass


def voice(seconds: float, seed: int = 0, rate_hz: int = RATE_HZ) -> Floats:
    """Return something like speech: a buzz of low harmonics in syllables, another for each seed. Shape (samples,)."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    pitch_hz = rng.uniform(90, 240)
    buzz = sum(np.sin(2 * np.pi * pitch_hz * k * time_s + rng.uniform(0, 6)) / k for k in range(1, 8))
    syllables = np.clip(np.sin(2 * np.pi * rng.uniform(2, 4) * time_s), 0, 1)
    return (0.15 * buzz * syllables).astype(np.float32)


def write(path: Path, samples: npt.NDArray[np.generic], rate_hz: int = RATE_HZ, **form: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate_hz, **form)
    return path


def encode(
    path: Path, samples: Floats, rate_hz: int, *codecs: str, container: str | None = None, **options: str
) -> Path:
    """Write a file with one sound track a codec, all of the same samples, in any container that FFmpeg writes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(path, "w", format=container, options=options) as media:
        streams = [media.add_stream(codec, rate=rate_hz, layout="mono") for codec in codecs]
        for stream in streams:
            assert isinstance(stream, av.AudioStream)
            frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
            frame.sample_rate, frame.pts = rate_hz, 0
            media.mux(stream.encode(frame))
            media.mux(stream.encode(None))
    return path


def id3_tag(num_bytes: int) -> bytes:
    """Return an ID3 tag of that length, its ten bytes of header included."""
    size = num_bytes - 10
    return b"ID3\x04\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)


def build(folder: Path, out: Path, **caps: float) -> Corpus:
    """Read every file under a folder."""
    return build_corpus(read_folder(folder), out, Limits(**caps))  # type: ignore[arg-type]


def build_files(files: Mapping[str, Path], out: Path, **caps: float) -> Corpus:
    """Read files under the names given, as they come by upload."""
    return build_corpus([SourceFile(n, p) for n, p in files.items()], out, Limits(**caps))  # type: ignore[arg-type]


def rejects(corpus: Corpus) -> dict[str, str]:
    return {reject.name: reject.code for reject in corpus.rejects}


def warnings(corpus: Corpus) -> dict[str, int]:
    return {warning.code: warning.count for warning in corpus.warnings}


def tar_of(path: Path, files: Mapping[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def zip_of(path: Path, files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def wav_bytes(seconds: float, seed: int) -> bytes:
    data = io.BytesIO()
    soundfile.write(data, voice(seconds, seed), RATE_HZ, format="WAV", subtype="PCM_16")
    return data.getvalue()


def flac_bomb(path: Path, hours: float) -> Path:
    """Write a FLAC of silence, twelve bytes for every 65,535 samples."""
    block = 65_535
    num_frames = round(hours * 3600 * RATE_HZ / block)
    packed = RATE_HZ << 44 | 0 << 41 | 15 << 36 | num_frames * block
    info = struct.pack(">HH", block, block) + bytes(6) + packed.to_bytes(8, "big") + bytes(16)
    with path.open("wb") as file:
        file.write(b"fLaC\x80" + len(info).to_bytes(3, "big") + info)
        for number in range(num_frames):
            header = b"\xff\xf8\x75\x08" + _coded(number) + struct.pack(">H", block - 1)
            frame = header + bytes([_crc(header, 8, 0x07)]) + b"\0\0\0"
            file.write(frame + _crc(frame, 16, 0x8005).to_bytes(2, "big"))
    return path


def _coded(number: int) -> bytes:
    return chr(number).encode("utf-8", "surrogatepass")  # FLAC numbers its frames in UTF-8


def _crc(data: bytes, bits: int, polynomial: int) -> int:
    table = _crc_table(bits, polynomial)
    crc, mask = 0, (1 << bits) - 1
    for byte in data:
        crc = (crc << 8 & mask) ^ table[crc >> bits - 8 ^ byte]
    return crc


_TABLES: dict[tuple[int, int], list[int]] = {}


def _crc_table(bits: int, polynomial: int) -> list[int]:
    if (bits, polynomial) not in _TABLES:
        table = []
        for value in range(256):
            crc = value << bits - 8
            for _ in range(8):
                crc = (crc << 1 ^ (polynomial if crc >> bits - 1 else 0)) & (1 << bits) - 1
            table.append(crc)
        _TABLES[bits, polynomial] = table
    return _TABLES[bits, polynomial]
