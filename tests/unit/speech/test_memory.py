"""Long recordings go through in flat memory."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile

from tests.unit.speech.sounds import voice

BUILD = """
import json, resource, sys
from pathlib import Path
from adaptwin_core.speech.ingest import Limits, build_corpus
from adaptwin_core.speech.files.sources import read_folder

corpus = build_corpus(read_folder(Path(sys.argv[1])), Path(sys.argv[2]), Limits())
parent = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"seconds": corpus.seconds, "parent_kib": parent, "child_kib": child}))
"""


def test_two_hours_in_one_file_take_less_than_300_mib(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    minute = (voice(60.0) * 32767).astype(np.int16)
    with soundfile.SoundFile(tmp_path / "in" / "long.wav", "w", 16_000, 1, "PCM_16") as file:
        for _ in range(120):
            file.write(minute)
    command = [sys.executable, "-c", BUILD, str(tmp_path / "in"), str(tmp_path / "out")]
    used = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert used["seconds"] == 7200.0
    assert used["parent_kib"] < 150 << 10
    assert used["parent_kib"] + used["child_kib"] < 300 << 10
