"""The sizes that the page shows are those that a job counts with."""

import pytest

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.vocabulary import smallest_shape
from bench import sizes
from bench.runner import results_of
from tests.published_whispers import WHISPERS


@pytest.mark.parametrize("name", sizes.MULTILINGUAL)
def test_the_results_count_the_tokens_that_a_job_keeps(name: str):
    (run,) = results_of("sizes")
    rows = {row["language"]: row for row in run["rows"] if row["model"] == name and "language" in row}
    assert list(rows) == [sizes.ALL, *sizes.LANGUAGES]
    base = WHISPERS[name.removeprefix("whisper-").removeprefix("large-v3-")]
    for language in sizes.LANGUAGES:
        shape = smallest_shape(CompressionSpec(language=language), base)
        assert (rows[language]["tokens"], rows[language]["total_params"]) == (shape.vocab_size, shape.total_params)
    assert (rows[sizes.ALL]["tokens"], rows[sizes.ALL]["total_params"]) == (base.vocab_size, base.total_params)


def test_a_smaller_vocabulary_saves_rows_of_the_embedding_and_their_scales():
    whole, german = (sizes.of_language("whisper-tiny", language) for language in (sizes.ALL, "de"))
    dropped, width = whole["tokens"] - german["tokens"], sizes.SHAPES["whisper-tiny"].width
    assert dropped > 10_000
    assert whole["total_params"] - german["total_params"] == dropped * width
    assert 0 < whole["int8_bytes"] - german["int8_bytes"] - dropped * width < 0.02 * dropped * width
    assert whole["encoder_params"] == german["encoder_params"]
