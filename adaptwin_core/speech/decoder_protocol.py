"""How the decoder's parent and child talk.

parent -> child, on the child's stdin (a Unix socket): one `REQUEST` with the open file attached as a descriptor.
child -> parent, on the child's stdout: frames of one `FRAME` header and its payload:
  AUDIO    16-bit little-endian samples, 16 kHz mono
  END      JSON {"num_clipped", "num_frames", "damaged"}: the file is done; counts are of the file's own sample frames
  REFUSED  JSON {"code", "reason"}: the file cannot be used
"""

import struct

SAMPLE_RATE_HZ = 16_000
REQUEST = struct.Struct("<8sI")  # container, CPU seconds allowed
FRAME = struct.Struct("<cI")  # kind, payload bytes
AUDIO, END, REFUSED = b"A", b"E", b"F"
MAX_FRAME_BYTES = 1 << 20
