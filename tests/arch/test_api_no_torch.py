"""The API starts fast and small: it never loads torch or what goes with it, not even through others."""

import os
import subprocess
import sys

FORBIDDEN = {"torch", "transformers", "peft", "matplotlib", "soundfile", "av", "worker", "adaptwin_core.ml"}


def test_the_api_loads_no_torch():
    code = "import sys, api.main; api.main.create_app().openapi(); print(*sys.modules)"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"ADAPTWIN_SECRET_KEY": "0" * 32},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
    )
    assert "api.routes.uploads" in loaded
    assert loaded.isdisjoint(FORBIDDEN)
