"""Silences the logs and warnings of libraries, so that they do not mix with a command's own output."""

import logging
import os
import warnings

# Native code and child processes read these, so they must be set before the libraries are loaded.
_VARIABLES = {
    "CT2_VERBOSE": "-1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "PYTHONWARNINGS": "ignore",
    "TOKENIZERS_PARALLELISM": "false",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "TRANSFORMERS_VERBOSITY": "error",
}


def quiet_libraries() -> None:
    """Silence Python warnings, logs below an error, and output of native code. Variables that are set are kept."""
    for name, value in _VARIABLES.items():
        os.environ.setdefault(name, value)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
