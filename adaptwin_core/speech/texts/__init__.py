"""Transcripts: reads what text files say of recordings, in the forms and encodings that people use."""
