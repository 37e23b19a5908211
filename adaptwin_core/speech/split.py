"""Decides what is trained on, what is validated on and what is held out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from adaptwin_core.speech.transcripts import Split

_SHARES: tuple[tuple[Split, float], ...] = (("test", 0.10), ("valid", 0.05))
_MIN_RECORDINGS = 10  # from here on each split gets one at least


@dataclass(frozen=True)
class Recording:
    """One file of the set, as far as splitting it goes."""

    name: str
    piece_samples: tuple[int, ...]  # length of each piece, in time order
    given: Split | None = None

    @property
    def num_samples(self) -> int:
        return sum(self.piece_samples)


def assign(recordings: Sequence[Recording]) -> list[list[Split]]:
    """Return the split of every piece of every recording, in the order given.

    Splits that the person gave are kept, and files without one are trained on; where none is test or valid, that is the
    same as none given. Otherwise about 10 % of the time goes to test and 5 % to valid, by recording, chosen by the
    SHA-256 of its name. Where recordings are so few or long that this fails, the longest is split by contiguous time.
    """
    if any(r.given in {"test", "valid"} for r in recordings):
        return [[r.given or "train"] * len(r.piece_samples) for r in recordings]
    chosen = _by_recording(recordings)
    wholes: list[list[Split]] = [[chosen.get(r.name, "train")] * len(r.piece_samples) for r in recordings]
    if "test" in chosen.values() or not recordings:
        return wholes
    longest = max(range(len(recordings)), key=lambda i: (recordings[i].num_samples, recordings[i].name))
    total = sum(r.num_samples for r in recordings)
    wholes[longest] = _by_time(recordings[longest].piece_samples, total)
    if "test" not in wholes[longest]:
        for split, i in zip(("test", "valid"), _smallest_first(recordings)[:-1], strict=False):
            wholes[i] = [split] * len(wholes[i])  # type: ignore[list-item]
    return wholes


def _by_recording(recordings: Sequence[Recording]) -> dict[str, Split]:
    """Return the recordings to hold out, or nothing where whole recordings come nowhere near the shares."""
    total = sum(r.num_samples for r in recordings)
    rest = sorted(recordings, key=lambda r: hashlib.sha256(r.name.encode()).digest())
    chosen: dict[str, Split] = {}
    for split, share in _SHARES:
        taken = 0
        for r in list(rest):
            if taken >= share * total:
                break
            if taken + r.num_samples <= 1.5 * share * total:
                taken += r.num_samples
                chosen[r.name] = split
                rest.remove(r)
        if not taken and split == "test":
            return {}
        if not taken and len(recordings) >= _MIN_RECORDINGS:
            smallest = min(rest, key=lambda r: (r.num_samples, r.name))
            chosen[smallest.name] = split
            rest.remove(smallest)
    return chosen


def _by_time(piece_samples: Sequence[int], total: int) -> list[Split]:
    """Give the end of one recording to test and what lies before it to valid: pieces never straddle."""
    splits: list[Split] = ["train"] * len(piece_samples)
    last = len(splits) - 1
    for split, share in _SHARES:
        taken = 0
        while last > 0 and taken < share * total:
            splits[last] = split
            taken += piece_samples[last]
            last -= 1
    return splits


def _smallest_first(recordings: Sequence[Recording]) -> list[int]:
    return sorted(range(len(recordings)), key=lambda i: (recordings[i].num_samples, recordings[i].name))
