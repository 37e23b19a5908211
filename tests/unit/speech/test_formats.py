"""Every form of audio that is accepted comes out as the same speech at 16 kHz mono; what is not audio does not."""

import socket
import struct
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.limits import Limits
from adaptwin_core.speech.sound.sandbox import Decoder
from adaptwin_core.speech.sound.sniff import sniff_audio
from tests.unit.speech.sounds import (
    Floats,
    Nowhere,
    build,
    build_files,
    encode,
    id3_tag,
    rejects,
    voice,
    warnings,
    write,
)

SECONDS = 3.0


def likeness(a: Floats, b: Floats) -> float:
    """Return the greatest cosine of two sounds over shifts of up to 0.1 s."""
    num = min(len(a), len(b))
    cross = np.fft.irfft(np.fft.rfft(a[:num], 2 * num) * np.conj(np.fft.rfft(b[:num], 2 * num)))
    near = np.concatenate([cross[:1600], cross[-1600:]]).max()
    return float(near / np.linalg.norm(a[:num]) / np.linalg.norm(b[:num]))


def loudness(sound: Floats) -> Floats:
    """Return the root mean square of every 10 ms, about its mean: all that the coarsest codecs keep of a wave."""
    rms = np.sqrt(np.square(sound[: len(sound) // 160 * 160].reshape(-1, 160)).mean(axis=1))
    return rms - rms.mean()


FORMS: dict[str, tuple[int, dict[str, str]]] = {  # name -> rate in Hz, how soundfile writes it or the codec
    "pcm16.wav": (16_000, {"subtype": "PCM_16"}),
    "float.wav": (44_100, {"subtype": "FLOAT"}),
    "eight.wav": (48_000, {"subtype": "PCM_16"}),
    "pcm24.flac": (44_100, {"subtype": "PCM_24"}),
    "big.rf64": (16_000, {"format": "RF64", "subtype": "PCM_16"}),
    "v.ogg": (44_100, {"format": "OGG", "subtype": "VORBIS"}),
    "o.opus": (48_000, {"format": "OGG", "subtype": "OPUS"}),
    "m.mp3": (44_100, {"format": "MP3", "subtype": "MPEG_LAYER_III"}),
    "a.m4a": (44_100, {"codec": "aac"}),
    "w.webm": (48_000, {"codec": "libopus"}),
    "lossless.m4a": (44_100, {"codec": "alac"}),
    "raw.aac": (44_100, {"codec": "aac", "container": "adts"}),
    "memo.caf": (44_100, {"codec": "alac", "container": "caf"}),
    "pcm.caf": (44_100, {"format": "CAF", "subtype": "PCM_16"}),
    "whole.aiff": (44_100, {"format": "AIFF", "subtype": "PCM_24"}),
    "little.aifc": (44_100, {"codec": "pcm_s16be", "container": "aiff"}),
    "long.w64": (16_000, {"format": "W64", "subtype": "PCM_16"}),
}


def make(folder: Path, name: str, seed: int = 0) -> Path:
    rate_hz, form = FORMS[name]
    samples = voice(SECONDS, seed, rate_hz)
    if "codec" in form:
        return encode(folder / name, samples, rate_hz, form["codec"], container=form.get("container"))
    return write(folder / name, np.repeat(samples[:, None], 8 if name == "eight.wav" else 1, axis=1), rate_hz, **form)


NAMES = tuple(FORMS)


@pytest.fixture(scope="module")
def every_format(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("formats")
    (folder / "in").mkdir()
    for seed, name in enumerate(NAMES):
        make(folder / "in", name, seed)
    return build(folder / "in", folder / "out")


@pytest.mark.parametrize("name", NAMES)
def test_format_is_read(every_format: Corpus, name: str) -> None:
    [clip] = [clip for clip in every_format.clips if clip.recording == name]
    audio = every_format.audio(clip)
    assert audio.dtype == np.float32
    assert abs(clip.seconds - SECONDS) < 0.11
    assert likeness(audio, voice(SECONDS, NAMES.index(name))) > 0.97
    assert likeness(audio, voice(SECONDS, NAMES.index(name) + 1)) < 0.5


@pytest.mark.parametrize("name", ["phone.amr", "phone.3gp"])
def test_what_old_phones_record_is_read(tmp_path: Path, name: str) -> None:
    encode(tmp_path / "in" / name, voice(SECONDS, 1, 8_000), 8_000, "libopencore_amrnb", container=name[6:])
    corpus = build(tmp_path / "in", tmp_path / "out")
    heard, said, other = (loudness(x) for x in (corpus.audio(corpus.clips[0]), voice(SECONDS, 1), voice(SECONDS, 2)))
    assert likeness(heard, said) > 0.9 > likeness(heard, other) + 0.1


def test_wide_band_amr_is_read(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (100, 18), dtype=np.uint8)  # of 20 ms each, all of one mode
    frames[:, 0] = 0x04
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.amr").write_bytes(b"#!AMR-WB\n" + frames.tobytes())
    assert build(tmp_path / "in", tmp_path / "out").seconds == pytest.approx(2.0)


def test_a_tag_of_any_length_may_come_before_the_sound(tmp_path: Path) -> None:
    cases = [
        (name, num_bytes)
        for name in ("pcm24.flac", "m.mp3", "pcm16.wav", "raw.aac", "whole.aiff", "v.ogg")
        for num_bytes in (600, 4_090, 4_097, 300_000)
    ]
    for seed, (name, num_bytes) in enumerate(cases):
        data = make(tmp_path, name, seed).read_bytes()
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{seed:02}").write_bytes(id3_tag(num_bytes) + data)
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert not corpus.rejects
    for clip in corpus.clips:
        assert likeness(corpus.audio(clip), voice(SECONDS, int(clip.recording))) > 0.97, cases[int(clip.recording)]


def test_bw64_is_read_as_rf64(tmp_path: Path) -> None:
    path = make(tmp_path / "in", "big.rf64")
    path.write_bytes(b"BW64" + path.read_bytes()[4:])
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert corpus.seconds == pytest.approx(SECONDS)
    assert likeness(corpus.audio(corpus.clips[0]), voice(SECONDS)) > 0.99


def test_other_forms_of_sound_are_called_by_their_names(tmp_path: Path) -> None:
    heads = {
        "WMA": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
        "Sun AU": b".snd\0\0\0\x18",
        "NIST SPHERE": b"NIST_1A\n   1024\n",
        "AVI": b"RIFF\0\1\0\0AVI LIST",
        "MIDI": b"MThd\0\0\0\6",
        "MPEG transport stream": (b"\x47" + bytes(187)) * 4,
    }
    write(tmp_path / "in" / "good.wav", voice(1.0))
    for name, head in heads.items():
        (tmp_path / "in" / name).write_bytes(head + bytes(2_000))
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert rejects(corpus) == dict.fromkeys(heads, "not_audio")
    for reject in corpus.rejects:
        assert reject.name in reject.reason
        assert "convert it to wav or flac" in reject.reason


def test_16_khz_pcm16_is_kept_bit_for_bit(tmp_path: Path) -> None:
    path = write(tmp_path / "in" / "a.wav", voice(2.0), subtype="PCM_16")
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert np.array_equal(corpus.audio(corpus.clips[0]), soundfile.read(path, dtype="float32")[0])


@pytest.mark.parametrize("name", ["v.ogg", "o.opus", "m.mp3"])
def test_files_joined_end_to_end_are_read_to_the_end(tmp_path: Path, name: str) -> None:
    path = make(tmp_path / "in", name)
    path.write_bytes(path.read_bytes() * 3)
    assert build(tmp_path / "in", tmp_path / "out").seconds == pytest.approx(3 * SECONDS, abs=0.3)


def test_lying_wav_sizes_are_not_believed(tmp_path: Path) -> None:
    for i, size in enumerate((0, 0x7FFFFFFF, 0xFFFFFFFF)):
        for also_riff in (False, True):
            path = write(tmp_path / "in" / f"{size:x}{also_riff}.wav", voice(2.0, 2 * i + also_riff), subtype="PCM_16")
            data = bytearray(path.read_bytes())
            at = data.index(b"data") + 4
            data[at : at + 4] = struct.pack("<I", size)
            if also_riff:
                data[4:8] = struct.pack("<I", size)
            path.write_bytes(data)
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert [clip.seconds for clip in corpus.clips] == [pytest.approx(2.0)] * 6


def test_every_sample_format_is_read_by_the_second_reader_too(tmp_path: Path) -> None:
    subtypes = ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")
    for seed, subtype in enumerate(subtypes):
        eight = np.repeat(voice(2.0, seed)[:, None], 8, axis=1)  # eight channels of no named layout crashed FFmpeg
        path = write(tmp_path / "in" / f"{seed}.wav", eight, format="WAVEX", subtype=subtype)
        data = bytearray(path.read_bytes())
        at = data.index(b"data") + 4
        data[at : at + 4] = bytes(4)  # a size of 0 makes libsndfile see nothing
        path.write_bytes(data)
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert not corpus.rejects
    for clip in corpus.clips:
        sound = corpus.audio(clip)
        expected = voice(2.0, int(clip.recording[0]))
        assert likeness(sound, expected) > 0.995, clip
        assert np.linalg.norm(sound) == pytest.approx(np.linalg.norm(expected), rel=0.02)


def test_absurd_sample_rates_are_rejected(tmp_path: Path) -> None:
    for rate_hz in (1, 3_999, 16_000, 800_000):
        path = write(tmp_path / "in" / f"{rate_hz}.wav", voice(2.0, rate_hz), subtype="PCM_16")
        data = bytearray(path.read_bytes())
        data[24:28] = struct.pack("<I", rate_hz)
        path.write_bytes(data)
    found = rejects(build(tmp_path / "in", tmp_path / "out"))
    assert found == dict.fromkeys(("1.wav", "3999.wav", "800000.wav"), "decode_failed")


def test_truncated_flac_is_used_as_far_as_it_goes_without_its_transcript(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 20 * 16_000)
    path = write(tmp_path / "in" / "a.flac", noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (tmp_path / "in" / "a.txt").write_text("all of it")
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert 2 < corpus.seconds < 11
    assert warnings(corpus)["damaged"] == 1
    assert [clip.text for clip in corpus.clips] == [None]


def test_not_finite_is_rejected(tmp_path: Path) -> None:
    write(tmp_path / "in" / "good.wav", voice(1.0))
    for i, bad in enumerate((np.nan, np.inf)):
        samples = voice(2.0, i)
        samples[20_000] = bad
        write(tmp_path / "in" / f"{i}.wav", samples, subtype="FLOAT")
    assert rejects(build(tmp_path / "in", tmp_path / "out")) == dict.fromkeys(("0.wav", "1.wav"), "not_finite")


def test_what_is_not_audio_is_rejected_and_never_fetched(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder / "good.wav", voice(1.0))
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x.ts"
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n"
        others = {
            "list.wav": playlist.encode(),
            "concat.mp3": f"ffconcat version 1.0\nfile {url}\n".encode(),
            "session.wav": f"v=0\nc=IN IP4 127.0.0.1\nm=audio {server.getsockname()[1]} RTP/AVP 0\n".encode(),
            "image.flac": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}"/></svg>'.encode(),
            "program.ogg": b"\x7fELF\x02\x01\x01" + bytes(100),
            "words.m4a": b"hello",
            "empty.wav": b"",
            "aac.mp3": b"\xff\xf1\x50\x80" + bytes(500),
            "utf16.mp3": b"\xff\xfe" + "text".encode("utf-16-le"),
        }
        for name, data in others.items():
            (folder / name).write_bytes(data)
        expected = dict.fromkeys(others, "not_audio") | {"empty.wav": "empty_file"}
        assert rejects(build(folder, tmp_path / "out")) == expected
        with Decoder(Limits()) as decoder:  # even past the sniff, the demuxer is fixed and nothing else can be opened
            for container in ("wav", "mp4", "webm", "mp3"):
                with pytest.raises(InvalidAudio):
                    decoder.decode(folder / "list.wav", container, Nowhere(), max_samples=10**9)
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()


def test_film_gives_its_sound(tmp_path: Path) -> None:
    with av.open(tmp_path / "film.mp4", "w") as media:
        picture = media.add_stream("mpeg4", rate=5)
        sound = media.add_stream("aac", rate=48_000)
        assert isinstance(picture, av.VideoStream)
        assert isinstance(sound, av.AudioStream)
        picture.width, picture.height = 64, 64
        for _ in range(10):
            media.mux(picture.encode(av.VideoFrame(64, 64, "yuv420p")))
        heard = av.AudioFrame.from_ndarray(voice(2.0, 1, 48_000)[None], format="flt", layout="mono")
        heard.sample_rate = 48_000
        media.mux(sound.encode(heard))
        media.mux(picture.encode(None))
        media.mux(sound.encode(None))
    corpus = build_files({"film.mp4": tmp_path / "film.mp4"}, tmp_path / "out")
    assert likeness(corpus.audio(corpus.clips[0]), voice(2.0, 1)) > 0.97


def test_container_without_sound_fails_to_decode(tmp_path: Path) -> None:
    write(tmp_path / "in" / "good.wav", voice(1.0))
    (tmp_path / "in" / "a.m4a").write_bytes(b"\0\0\0\x18ftypM4A " + bytes(400))
    (tmp_path / "in" / "b.webm").write_bytes(b"\x1a\x45\xdf\xa3" + bytes(400))
    (tmp_path / "in" / "c.wav").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert rejects(corpus) == dict.fromkeys(("a.m4a", "b.webm", "c.wav"), "decode_failed")


def test_mp3_is_known_with_and_without_a_tag(tmp_path: Path) -> None:
    data = make(tmp_path, "m.mp3").read_bytes()
    assert sniff_audio(data[:4096]) == "mp3"
    assert sniff_audio(b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + data[:1000]) == "mp3"
    assert sniff_audio(b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + b"fLaC") == "flac"
