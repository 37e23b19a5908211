"""All that can be set about the demo, in one place."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adaptwin_core.domain.spec import BUDGETS

JSON = dict[str, Any]

DEFAULT_MODEL = "whisper-tiny.en"
# Chosen so that the stock model fails this speaker badly but not absurdly: tiny.en's WER on `en-us` is 30-40 %.
SPEAKER_VOICE = "en-us"
SPEAKER_WORDS_PER_MINUTE = 165
# Other speakers: one neural voice, also with its pitch and formants moved, and with British pronunciation.
OTHER_VOICES = ((1.0, False), (0.84, False), (1.0, True), (1.16, False))  # (frequency factor, British)
OTHERS_SAY_EVERY = 3  # of the speaker's training sentences, so that general speech is minutes, not seconds

NUM_WORKERS = 2
SERVER_START_S = 180.0
SEED = 0
# Less of everything than the service's defaults, so that a demo of tiny.en takes minutes on two cores.
SHORT_JOB = {
    "calibration_windows": 24,
    "layer_windows": 6,
    "layer_steps": 10,
    "personal_steps": 110,
    "tune_steps": 40,
    "scale_steps": 40,
}


@dataclass(frozen=True)
class DemoSettings:
    """One run."""

    speech: Path | None  # None: the synthetic speaker
    general: Path | None  # None: the synthetic others
    model: str = DEFAULT_MODEL
    cut: float = 0.35
    out: Path = Path("demo")
    job: dict[str, Any] = field(default_factory=dict)  # further settings of the job, by name

    def spec(self) -> dict[str, Any]:
        """Return the job's settings; those not named here or in SHORT_JOB are the service's defaults."""
        size = {} if self.job.keys() & set(BUDGETS) else {"encoder_cut": self.cut}
        return {**size, "seed": SEED, **SHORT_JOB, **self.job}
