"""Divides recordings into those for training, for validation and for testing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from adaptwin_core.domain.splits import Split

_SHARES: tuple[tuple[Split, float], ...] = (("test", 0.10), ("valid", 0.05))
_MIN_RECORDINGS = 10  # from this number on, each split gets at least one


@dataclass(frozen=True)
class Recording:
    """A recording as the division sees it."""

    name: str
    piece_samples: tuple[int, ...]  # length of each piece, in time order
    given: Split | None = None
    is_nonspeech: bool = False  # its transcript says that nobody speaks

    @property
    def num_samples(self) -> int:
        return sum(self.piece_samples)


def assign(recordings: Sequence[Recording]) -> list[list[Split]]:
    """Return the split of every piece of every recording, in the order given.

    Splits that the person gave are kept, if any is test or valid; recordings without one are then for training.
    Otherwise about 10 % of the time goes to test and 5 % to valid, by whole recordings, chosen by the SHA-256 of their
    names. Where recordings are too few or too long for that, the longest is divided by contiguous time. Recordings in
    which nobody speaks are divided separately, so that what is held out has words.
    """
    if any(r.given in {"test", "valid"} for r in recordings):
        return [[r.given or "train"] * len(r.piece_samples) for r in recordings]
    spoken = [r for r in recordings if not r.is_nonspeech]
    nonspeech = [r for r in recordings if r.is_nonspeech]
    if not spoken:
        return _divided(nonspeech)
    learnt: list[list[Split]] = [["train"] * len(r.piece_samples) for r in nonspeech]
    of_nonspeech = iter(learnt if len(nonspeech) < _MIN_RECORDINGS else _divided(nonspeech))
    of_spoken = iter(_divided(spoken))
    return [next(of_nonspeech if r.is_nonspeech else of_spoken) for r in recordings]


def _divided(recordings: Sequence[Recording]) -> list[list[Split]]:
    if not recordings:
        return []
    order = sorted(range(len(recordings)), key=lambda i: (recordings[i].num_samples, recordings[i].name))
    longest, total = order[-1], sum(r.num_samples for r in recordings)
    dominated = 2 * recordings[longest].num_samples > total and len(recordings[longest].piece_samples) > 1
    chosen = {} if dominated else _by_recording(recordings, total)
    splits: list[list[Split]] = [[chosen.get(r.name, "train")] * len(r.piece_samples) for r in recordings]
    if not chosen:
        splits[longest] = _by_time(recordings[longest].piece_samples, total)
        if "test" not in splits[longest]:  # it is in one piece, and so is every other
            for (split, _), i in zip(_SHARES, order[:-1], strict=False):
                splits[i] = [split] * len(splits[i])
        elif "valid" not in splits[longest] and len(recordings) >= _MIN_RECORDINGS:
            splits[order[0]] = ["valid"] * len(
                splits[order[0]]
            )  # it has two pieces only, so the shortest other recording is taken
    return splits


def _by_recording(recordings: Sequence[Recording], total: int) -> dict[str, Split]:
    """Return the recordings to hold out, or none where whole recordings give under half of the test share."""
    rest = sorted(recordings, key=lambda r: hashlib.sha256(r.name.encode()).digest())
    held: dict[Split, list[Recording]] = {}
    for split, share in _SHARES:
        held[split] = []
        left: list[Recording] = []
        num_taken = 0
        for r in rest:
            fits = num_taken < share * total and num_taken + r.num_samples <= 1.5 * share * total
            (held[split] if fits else left).append(r)
            num_taken += r.num_samples if fits else 0
        rest = left
    test, valid = held["test"], held["valid"]
    if sum(r.num_samples for r in test) < 0.5 * _SHARES[0][1] * total:
        return {}
    if not valid and len(recordings) >= _MIN_RECORDINGS:
        source = test if len(test) > 1 else rest
        smallest = min(source, key=lambda r: (r.num_samples, r.name))
        source.remove(smallest)
        valid.append(smallest)
    return {r.name: split for split, taken in held.items() for r in taken}


def _by_time(piece_samples: Sequence[int], total: int) -> list[Split]:
    """Give the end of one recording to test, and the pieces before it to valid. A piece is never divided."""
    splits: list[Split] = ["train"] * len(piece_samples)
    last = len(splits) - 1
    for split, share in _SHARES:
        taken = 0
        while last > 0 and taken < share * total:
            splits[last] = split
            taken += piece_samples[last]
            last -= 1
    return splits
