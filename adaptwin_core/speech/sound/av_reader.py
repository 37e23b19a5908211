"""Reads a sound track with FFmpeg. Only the decoder's process imports it.

Shapes: T sample frames in time, C channels.
"""

from collections.abc import Iterator
from typing import IO

import av
import numpy as np
from av.stream import Disposition

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.sound.blocks import BLOCK_VALUES, Block, Track
from adaptwin_core.speech.sound.sniff import Form

_MAX_BAD_PACKETS = 100
_DEMUXERS: dict[Form, str] = {
    "wav": "wav",
    "w64": "w64",
    "aiff": "aiff",
    "caf": "caf",
    "flac": "flac",
    "ogg": "ogg",
    "mp3": "mp3",
    "adts": "aac",
    "amr": "amr",
    "mp4": "mp4",
    "webm": "matroska",
}
_CODECS = frozenset({"aac", "alac", "amrnb", "amrwb", "flac", "mp3", "mp3float", "opus", "libopus", "vorbis", "speex"})


def read_av(file: IO[bytes], form: Form) -> Iterator[Block]:
    """Yield the blocks of one track. The demuxer is given by `form`, which the file's first bytes showed.

    FFmpeg gets an open file object, so it has no path and no protocol with which to open anything else.

    Raises:
        InvalidAudio: decode_failed: no track can be read, or some of one cannot. Blocks may have come before.
    """
    options = {"protocol_whitelist": "none"}
    with av.open(file, mode="r", format=_DEMUXERS[form], options=options, metadata_errors="ignore") as media:
        stream, track = _readable_track(media.streams.audio)
        stream.codec_context.thread_type = "NONE"
        blocks = _blocks(media, stream, track)
        if form == "mp4" and stream.duration and stream.time_base:
            blocks = _without_padding(blocks, float(stream.duration * stream.time_base))
        yield from _gathered(blocks)


def _readable_track(streams: "tuple[av.AudioStream, ...]") -> tuple[av.AudioStream, Track]:
    """Return the main track of the file if its codec is read, or else the first track whose codec is."""
    if not streams:
        raise InvalidAudio("it holds no sound track; send the recording itself", code="decode_failed")
    codecs = [stream.codec_context.name if stream.codec_context else "something unknown" for stream in streams]
    readable = [i for i, codec in enumerate(codecs) if codec in _CODECS or codec.startswith("pcm_")]
    if not readable:
        raise InvalidAudio(f"its sound is coded as {codecs[0]}; save it as wav, flac or opus", code="decode_failed")
    main = next((i for i in readable if streams[i].disposition & Disposition.default), readable[0])
    return streams[main], Track(main + 1, len(streams))


def _blocks(media: av.container.InputContainer, stream: av.AudioStream, track: Track) -> Iterator[Block]:
    num_bad = 0
    for packet in media.demux(stream):
        try:
            frames = packet.decode()
        except av.FFmpegError:  # the packet is broken, and FFmpeg goes on with the next
            num_bad += 1
            if num_bad > _MAX_BAD_PACKETS:
                raise
            continue
        for frame in frames:
            yield Block(_floats(frame), frame.sample_rate, track)
    if num_bad:
        raise InvalidAudio("some of its packets are broken", code="decode_failed")


def _without_padding(blocks: Iterator[Block], end_s: float) -> Iterator[Block]:
    """Cut the last block where the header says that the sound ends. FFmpeg leaves out padding only at the start."""
    last: Block | None = None
    before_s = 0.0  # seconds before the last block
    for block in blocks:
        if last is not None:
            before_s += len(last.x_TC) / last.rate_hz
            yield last
        last = block
    if last is not None:
        num_meant = round((end_s - before_s) * last.rate_hz)
        yield last._replace(x_TC=last.x_TC[:num_meant]) if num_meant > 0 else last


def _floats(frame: av.AudioFrame) -> np.ndarray:
    """Return a frame's samples as float32 x_TC. FFmpeg's own converter crashes on layouts that have no name."""
    values = frame.to_ndarray()
    x_TC = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
    if x_TC.dtype == np.uint8:
        return (x_TC.astype(np.float32) - 128) / 128
    if x_TC.dtype.kind == "i":
        return (x_TC / 2.0 ** (8 * x_TC.dtype.itemsize - 1)).astype(np.float32)
    return x_TC.astype(np.float32)


def _gathered(blocks: Iterator[Block]) -> Iterator[Block]:
    """Join frames of a few milliseconds into larger blocks, which cost less to handle."""
    held: list[Block] = []
    num_values = 0
    try:
        for block in blocks:
            same = not held or (block.rate_hz == held[0].rate_hz and block.x_TC.shape[1] == held[0].x_TC.shape[1])
            if not same or num_values >= BLOCK_VALUES:
                yield _joined(held)
                held, num_values = [], 0
            held.append(block)
            num_values += block.x_TC.size
    except (InvalidAudio, av.FFmpegError):
        if held:  # what came before the damage is good
            yield _joined(held)
        raise
    if held:
        yield _joined(held)


def _joined(blocks: list[Block]) -> Block:
    return blocks[0]._replace(x_TC=np.concatenate([block.x_TC for block in blocks]))
