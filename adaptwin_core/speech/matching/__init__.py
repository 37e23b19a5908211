"""Finds by names which recording each transcript belongs to, and which files hold the same recording."""
