"""Held-out speech is chosen by recording, the same way every time."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptwin_core.domain.splits import Split
from adaptwin_core.speech.split import Recording, assign

S = 16_000


def shares(recordings: list[Recording], splits: list[list[Split]]) -> dict[str, float]:
    taken: dict[str, int] = defaultdict(int)
    for recording, pieces in zip(recordings, splits, strict=True):
        for num, split in zip(recording.piece_samples, pieces, strict=True):
            taken[split] += num
    total = sum(taken.values())
    return {split: num / total for split, num in taken.items()}


def test_many_clips_are_split_ten_and_five_percent_by_time() -> None:
    recordings = [Recording(f"{i}.wav", ((3 + i % 11) * S,)) for i in range(500)]
    found = shares(recordings, assign(recordings))
    assert found["test"] == pytest.approx(0.10, abs=0.01)
    assert found["valid"] == pytest.approx(0.05, abs=0.01)


def test_order_does_not_matter() -> None:
    recordings = [Recording(f"{i}.wav", (i % 7 * S + S,)) for i in range(100)]
    forward = dict(zip((r.name for r in recordings), assign(recordings), strict=True))
    backward = dict(zip((r.name for r in recordings[::-1]), assign(recordings[::-1]), strict=True))
    assert forward == backward


def test_ten_equal_recordings_give_one_of_each() -> None:
    splits = assign([Recording(f"{i}.wav", (5 * S,)) for i in range(10)])
    assert sorted(split for [split] in splits) == ["test"] + ["train"] * 8 + ["valid"]


def test_pieces_of_a_recording_stay_together() -> None:
    recordings = [Recording(f"{i}.wav", (25 * S,) * (4 + i % 5)) for i in range(40)]
    splits = assign(recordings)
    assert all(len(set(pieces)) == 1 for pieces in splits)
    assert 0.05 <= shares(recordings, splits)["test"] <= 0.15


def test_one_long_recording_is_split_by_contiguous_time() -> None:
    [splits] = assign([Recording("talk.mp3", (25 * S,) * 100)])
    assert splits == ["train"] * 85 + ["valid"] * 5 + ["test"] * 10


def test_recording_that_dominates_gives_the_held_out_part_alone() -> None:
    recordings = [Recording("talk.mp3", (25 * S,) * 80), *(Recording(f"{i}.wav", (5 * S,)) for i in range(30))]
    splits = assign(recordings)
    assert splits[0][-1] == "test"
    assert all(pieces == ["train"] for pieces in splits[1:])
    assert shares(recordings, splits)["test"] == pytest.approx(0.1, abs=0.02)


def test_three_long_recordings_take_the_end_of_the_longest() -> None:
    recordings = [Recording(f"{i}.mp3", (25 * S,) * (50 + i)) for i in range(3)]
    splits = assign(recordings)
    assert set(splits[0]) == set(splits[1]) == {"train"}
    assert shares(recordings, splits)["test"] == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(("num", "expected"), [(1, ["train"]), (2, ["test", "train"]), (3, ["test", "train", "valid"])])
def test_a_handful_of_short_clips(num: int, expected: list[str]) -> None:
    splits = assign([Recording(f"{i}.wav", ((5 + i) * S,)) for i in range(num)])
    assert sorted(split for [split] in splits) == expected


def test_given_splits_are_kept() -> None:
    recordings = [
        Recording("a", (S,), "train"),
        Recording("b", (S, S), "test"),
        Recording("c", (S,), None),
        Recording("d", (S,), "valid"),
    ]
    assert assign(recordings) == [["train"], ["test", "test"], ["train"], ["valid"]]


def test_all_given_as_train_leaves_nothing_held_out_so_it_is_chosen() -> None:
    recordings = [Recording(f"{i}.wav", (5 * S,), "train") for i in range(20)]
    assert {split for [split] in assign(recordings)} == {"train", "valid", "test"}


def test_a_long_recording_of_two_pieces_among_many_short_ones_still_leaves_all_three() -> None:
    recordings = [*(Recording(f"{i}.wav", (S // 5,)) for i in range(9)), Recording("long.wav", (S // 5, 2 * S))]
    assert {split for pieces in assign(recordings) for split in pieces} == {"train", "valid", "test"}


@given(st.lists(st.lists(st.integers(S // 5, 28 * S), min_size=1, max_size=30), min_size=1, max_size=40))
def test_whatever_the_lengths_some_speech_is_trained_on(lengths: list[list[int]]) -> None:
    recordings = [Recording(f"{i}.wav", tuple(pieces)) for i, pieces in enumerate(lengths)]
    splits = assign(recordings)
    assert [len(pieces) for pieces in splits] == [len(r.piece_samples) for r in recordings]
    used = {split for pieces in splits for split in pieces}
    assert "train" in used
    if len(recordings) >= 10:
        assert used == {"train", "valid", "test"}
    for pieces in splits:
        runs = [a for a, b in zip(pieces, [*pieces[1:], None], strict=True) if a != b]
        assert runs in ([runs[0]], ["train", "valid", "test"], ["train", "test"], ["valid", "test"])
