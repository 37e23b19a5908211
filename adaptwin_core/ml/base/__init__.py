"""Base models: found by what a person names, checked, and completed to the files that every stage reads."""
