import pytest

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.ml.evaluation.normalizer import normalizer
from adaptwin_core.ml.evaluation.scoring import score


def test_corpus_rate_counts_words_not_clips() -> None:
    result = score(
        ["one", "it was a very long and quiet afternoon"],
        ["none", "it was a very long and quiet afternoon"],
        language="en",
    )
    assert result.wer == pytest.approx(1 / 9)  # the mean over clips would be a half
    assert (result.substitutions, result.deletions, result.insertions, result.num_words) == (1, 0, 0, 9)


def test_counts_of_each_kind() -> None:
    result = score(
        ["alpha bravo charlie delta", "echo foxtrot"], ["alpha brave charlie", "echo foxtrot golf"], language="de"
    )
    assert (result.substitutions, result.deletions, result.insertions) == (1, 1, 1)
    assert [clip.word_errors for clip in result.clips] == [2, 1]
    assert result.wer == pytest.approx(3 / 6)


def test_a_wrong_character_counts_by_the_characters() -> None:
    assert score(["abcd"], ["abed"], language="de").cer == pytest.approx(1 / 4)


@pytest.mark.parametrize(
    ("language", "said", "heard", "errors"),
    [
        ("en", "The colour of twenty-one roses isn't Mister Grey's", "the color of 21 roses is not mr gray's.", 0),
        ("de", "Die Farbe, grau!", "die farbe grau", 0),
        ("de", "colour", "color", 1),
    ],
)
def test_each_language_has_its_normalizer(language: str, said: str, heard: str, errors: int) -> None:
    assert sum(clip.word_errors for clip in score([said], [heard], language=language).clips) == errors


def test_interval_is_seeded_ordered_and_narrows_with_more_clips() -> None:
    said = ["one two three four five six seven eight nine ten"] * 20
    heard = [text if i % 2 else "one two three four five six seven eight wrong wrong" for i, text in enumerate(said)]
    few, again = score(said, heard, language="de", seed=3), score(said, heard, language="de", seed=3)
    many = score(said * 10, heard * 10, language="de", seed=3)
    assert few == again
    assert few.wer_low < few.wer == pytest.approx(0.1)
    assert few.wer < few.wer_high
    assert many.wer_high - many.wer_low < 0.5 * (few.wer_high - few.wer_low)


def test_interval_of_a_perfect_transcript_is_zero() -> None:
    result = score(["alpha bravo"] * 5, ["alpha bravo"] * 5, language="en")
    assert (result.wer_low, result.wer, result.wer_high, result.cer_high) == (0, 0, 0, 0)


def test_silence_against_words_is_all_deletions_or_insertions() -> None:
    result = score(["alpha bravo", ""], ["", "charlie"], language="de")
    assert (result.deletions, result.insertions, result.wer) == (2, 1, 1.5)


@pytest.mark.parametrize(("said", "heard"), [(["a"], []), ([""], ["a"]), ([], [])])
def test_nothing_to_score_is_refused(said: list[str], heard: list[str]) -> None:
    with pytest.raises(InvalidInput):
        score(said, heard, language="en")


def test_english_normalizer_knows_british_spelling() -> None:
    assert normalizer("en")("Organised travellers") == "organized travelers"
