"""How the decoder's parent and child talk.

parent -> child, on the child's stdin (a Unix socket): one `REQUEST` with the open file attached as a descriptor.
child -> parent, on the child's stdout: frames of one `FRAME` header and its payload:
  AUDIO    16-bit little-endian samples, 16 kHz mono
  AGAIN    empty, once at most: what was sent of the file is void, and all of it comes once more
  END      JSON {"num_clipped", "num_frames", "damaged", "one_channel", "rescaled", "track"}: the file is done; counts
           are of the file's own sample frames, `track` is the number of the sound track that was read, and of how many
  REFUSED  JSON {"code", "reason", "detail"}: the file cannot be used; the detail is for logs alone
"""

import os
import struct

REQUEST = struct.Struct("<8sI")  # container, CPU seconds allowed
FRAME = struct.Struct("<cI")  # kind, payload bytes
AUDIO, AGAIN, END, REFUSED = b"A", b"R", b"E", b"F"
MAX_FRAME_BYTES = 1 << 20


def send_frame(out: int, kind: bytes, payload: bytes) -> None:
    """Write one frame to a pipe, whole."""
    view = memoryview(FRAME.pack(kind, len(payload)) + payload)
    while view:
        view = view[os.write(out, view) :]
