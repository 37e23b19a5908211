"""ARCHITECTURE.md shows the table of stages. After a change that is meant: `python -m tests.arch.test_stage_table`."""

from pathlib import Path

from adaptwin_core.domain.exports import FORMATS
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_table import TABLE
from adaptwin_core.domain.stages import Outline, Stage
from adaptwin_core.ml.stages.bodies import BODIES
from bench.markdown import filled, markdown_table
from tests.published_whispers import WHISPERS

PAGE = Path(__file__).parents[2] / "ARCHITECTURE.md"
EVERYTHING = Outline(
    CompressionSpec(max_wer=10.0, exports=tuple(FORMATS)), WHISPERS["tiny"], has_general=True, is_chosen=True
)


def current() -> str:
    rows = []
    for row in TABLE:
        read = {stage: None for key in row.keys(EVERYTHING) for stage in row.reads(key)}
        rows.append([row.stage, row.does, row.per, ", ".join(read) or "-", row.speech, row.cores])
    return markdown_table(["stage", "a task", "one for each", "reads", "speech", "cores"], rows)


def test_the_page_shows_the_table():
    page = PAGE.read_text()
    assert page == filled(page, "stages", current()), "stages changed: run `python -m tests.arch.test_stage_table`"


def test_every_stage_that_works_on_a_model_has_a_body():
    assert set(BODIES) == set(Stage) - {Stage.INGEST, Stage.TRANSCRIBE}


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(), "stages", current()))
