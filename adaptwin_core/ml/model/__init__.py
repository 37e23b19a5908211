"""Whisper in memory and on disk: its modules, its features, its windows, how it transcribes and how it is stored."""
