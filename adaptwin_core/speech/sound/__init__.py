"""Sound: what a file is, its decoding in a confined process, and one decoded recording."""
