"""Which recording a transcript means, by names alone, and which files hold one recording."""
