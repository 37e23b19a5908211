"""Keeps what libraries say to their developers out of what a person reads. A command calls it; no import does."""

import logging
import os
import warnings

# Read by native code and by child processes, so they are set before the libraries are loaded.
_VARIABLES = {
    "CT2_VERBOSE": "-1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "PYTHONWARNINGS": "ignore",
    "TOKENIZERS_PARALLELISM": "false",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "TRANSFORMERS_VERBOSITY": "error",
}


def quiet_libraries() -> None:
    """Silence warnings of Python, logs below an error, and the notices of native code. What you set yourself stays."""
    for name, value in _VARIABLES.items():
        os.environ.setdefault(name, value)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
