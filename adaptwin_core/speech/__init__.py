"""Turns the files and archives that a person sends into one checked corpus of 16 kHz mono speech."""
