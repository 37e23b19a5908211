"""What transformers prints beside a program's own output."""

from transformers.utils import logging as transformers_logging


def quiet_transformers() -> None:
    """Keep transformers' bars and warnings out of a program that shows its own; doors call it, no import does."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
