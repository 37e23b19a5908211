"""The demo, and what measures the models. The first line of each bench says its question."""
