"""The demo, and what measures the models. Each bench says its question in its first line; `runner.py` holds what they share."""
