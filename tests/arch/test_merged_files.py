"""A merge may leave its markers in a page that no compiler reads."""

import re
import subprocess
from pathlib import Path

MARKER = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)


def test_no_file_holds_the_marker_of_a_conflict() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    paths = [Path(name) for name in listed.split("\0") if name.endswith((".md", ".py", ".toml", ".json", ".yml"))]
    assert len(paths) > 500
    assert [str(path) for path in paths if path.is_file() and MARKER.search(path.read_text())] == []
