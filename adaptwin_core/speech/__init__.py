"""Audio in: files and archives that a person sends become one checked corpus of 16 kHz mono speech."""
