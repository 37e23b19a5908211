"""What a person reads of their speech, line by line."""

import pytest

from adaptwin_core.cli.progress_display import EVERY_S, ProgressBar, ProgressLines
from adaptwin_core.cli.safe_text import printable
from adaptwin_core.cli.stage_shares import STAGE_SHARES, share_before
from adaptwin_core.cli.summary import MAX_SHOWN, speech_summary
from adaptwin_core.cli.whole_bar import WholeBar
from adaptwin_core.domain.admission import Remark
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.stages import Stage

PART = {"clips": 0, "labelled": 0, "silent": 0, "labelled_seconds": 0.0, "unlabelled_seconds": 0.0}
REPORT = DatasetReport.model_validate(
    {
        "seconds": 1860.0,
        "clips": 285,
        "recordings": 285,
        "labelled": 280,
        "labelled_train": 240,
        "splits": {"train": 1500.0, "valid": 60.0, "test": 300.0},
        "parts": {
            "train": PART | {"clips": 243, "labelled": 240, "silent": 2},
            "valid": PART | {"clips": 1, "labelled": 1},
            "test": PART | {"clips": 41, "labelled": 39},
        },
        "rejects": [
            {"name": "a.pdf", "code": "not_audio", "reason": "this is no audio"},
            {"name": "b\x1b[31m.wav", "code": "silent", "reason": "nothing is heard"},
            {"name": "c.doc", "code": "not_audio", "reason": "this is no audio"},
        ],
        "warnings": [{"code": "clipped", "message": "too loud", "count": 7, "examples": ["d.wav", "e.wav"]}],
        "notes": [{"name": "metadata.csv", "code": "text_column", "message": "the text is its second column"}],
    }
)


def test_everything_found_is_told():
    assert speech_summary("speaker speech", REPORT) == [
        "read speaker speech: 285 files, 31.0 minutes",
        "speaker speech: 285 clips, 280 with a transcript, 5 without",
        "  train: 243 clips, 240 with a transcript (2 empty: nobody speaks), 3 without",
        "  valid: 1 clip, 1 with a transcript, 0 without",
        "  test: 41 clips, 39 with a transcript, 2 without",
        "speaker speech: 3 files not used (2 not_audio, 1 silent)",
        "  a.pdf: this is no audio (not_audio)",
        "  b\\x1b[31m.wav: nothing is heard (silent)",
        "  c.doc: this is no audio (not_audio)",
        "speaker speech: warning, 7 × clipped: too loud (d.wav, e.wav, …)",
        "speaker speech: how files were understood",
        "  metadata.csv: the text is its second column (text_column)",
    ]


def test_of_many_rejects_the_first_are_shown_and_all_are_counted():
    rejects = [REPORT.rejects[0].model_copy(update={"name": f"{i}.pdf"}) for i in range(MAX_SHOWN + 37)]
    lines = speech_summary("general speech", REPORT.model_copy(update={"rejects": rejects}))
    assert f"general speech: {MAX_SHOWN + 37} files not used ({MAX_SHOWN + 37} not_audio)" in lines
    assert sum(".pdf" in line for line in lines) == MAX_SHOWN
    assert "  and 37 more: a finished model's report.json lists all" in lines


@pytest.mark.parametrize(
    ("name", "shown"), [("ü 声", "ü 声"), ("a\nb", "a\\nb"), ("\udcff", "\\udcff"), ("[red]", "[red]")]
)
def test_names_cannot_speak_to_the_terminal(name: str, shown: str):
    assert printable(name) == shown


def test_a_step_is_one_line_and_a_long_one_says_how_far_it_is():
    said: list[str] = []
    now = [0.0]
    lines = ProgressLines(said.append, clock=lambda: now[0])
    for done in range(241):
        lines.show("personalize", done, 240)
        now[0] += EVERY_S / 128
    lines.ended("personalize", 72.0)
    lines.show("evaluate base:speaker:whole", 3, 3)
    lines.ended("evaluate base:speaker:whole", 2.0)
    lines.ended("report", 0.4)
    lines.show("read speaker speech", 9, 9)
    lines.ended("read speaker speech", 1.0)
    lines.admitted([Remark("no_general_speech", "no general speech was given")])
    assert said == [
        "personalize: 128 of 240",
        "personalize: 240 steps, 72 s",
        "evaluate base:speaker:whole: 3 clips, 2 s",
        "report: 0 s",
        "no general speech was given",
    ]


class Seen(WholeBar):
    """Keeps what a bar would show."""

    def __init__(self) -> None:
        super().__init__("job")
        self.shares: list[float | None] = []
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def _show(self, share: float | None, note: str, left_s: float | None) -> None:
        self.shares.append(share)


def test_a_job_of_this_process_has_one_bar_that_only_grows():
    seen = Seen()
    bar = ProgressBar(seen)
    bar.show("read speaker speech", 3, 9)
    bar.ended("read speaker speech", 1.0)
    for stage, steps in ((Stage.PERSONALIZE, 1), (Stage.WEIGH, 2), (Stage.SEARCH, 0), (Stage.EVALUATE, 2)):
        bar.begun(stage, steps)
        for index in range(steps):
            bar.show(f"{stage} {index}", 1, 2)
            bar.show(f"{stage} {index}", 2, 2)
            bar.ended(f"{stage} {index}", 1.0)
    waiting, *shares = seen.shares
    assert waiting is None
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(share_before(Stage.PERSONALIZE))
    assert shares[1] == pytest.approx(share_before(Stage.PERSONALIZE) + STAGE_SHARES[Stage.PERSONALIZE] / 2)
    assert shares[-1] == pytest.approx(share_before(Stage.CHOOSE))
    assert seen.said == []


def test_work_without_stages_has_a_bar_too():
    seen = Seen()
    ProgressBar(seen).show("hear", 3, 4)
    assert seen.shares == [0.75]
