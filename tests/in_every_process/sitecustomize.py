"""Python imports this at every start; the tests put its folder on the path of the processes that they start."""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).parents[1] / "loopback_only.py"))["watch"]()
