"""The limits on reading one set of speech: its size, its length, and the time and memory that it may take."""

from dataclasses import dataclass

GIB = 1 << 30
MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Caps on a set of files. They count what is really read, never what a header says."""

    max_decoded_s: float = 10 * 3600.0  # audio of the whole set, once decoded
    max_entries: int = 50_000  # files, those inside archives included
    max_bytes: int = 16 * GIB  # of all files, unpacked; 10 h of 48 kHz stereo 24-bit is 10.4 GB
    max_file_bytes: int = 8 * GIB
    max_text_bytes: int = 32 * MIB  # of all transcript files; 10 h of speech is about 0.6 MB
    max_file_cpu_s: int = 900  # of the decoder, one file
    max_file_wall_s: float = 1800.0  # of the decoder, one file
    max_stall_s: float = 60.0  # the decoder may be silent this long before it counts as hung
    max_wall_s: float = 4 * 3600.0  # the whole set
    max_decoder_bytes: int = 768 * MIB  # address space of the decoder; 250 MiB of it are its libraries
