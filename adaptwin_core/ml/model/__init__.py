"""Whisper in memory and on disk: its modules, its inputs, how it transcribes, and how it is stored."""
