"""Transcripts: what files of text say of recordings, in the forms and encodings that people have."""
