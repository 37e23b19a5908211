"""Finds which recording each claim means, by names alone."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from adaptwin_core.speech.claims import Claim, Line
from adaptwin_core.speech.notices import Notices
from adaptwin_core.speech.sources import base, label, stem


def match(
    claims: Sequence[Claim], audio_names: Sequence[str], refused_names: Sequence[str], notices: Notices
) -> dict[str, Line]:
    """Return what is known of each audio file that something is known of.

    A sidecar's text is taken before a table's.

    Args:
        audio_names: labels of the files that will be decoded.
        refused_names: labels of files that are not transcripts and are not used: they keep what is said of them.
    """
    index = _Index(audio_names)
    tables = _claimed([claim for claim in claims if not claim.is_sidecar], index, notices)
    sidecars = _claimed([claim for claim in claims if claim.is_sidecar], index, notices)
    return {
        name: Line(
            text=next((line.text for line in (sidecars.get(name), tables.get(name)) if line and line.text), None),
            split=tables[name].split if name in tables else None,
        )
        for name in sorted(tables.keys() | sidecars.keys())
    }


def _claimed(claims: Iterable[Claim], index: "_Index", notices: Notices) -> dict[str, Line]:
    found: dict[str, list[tuple[int, Line]]] = defaultdict(list)
    for claim in claims:
        key = label(f"{claim.folder}/{claim.key}")
        rank, names = index.find(key)
        if len(names) == 1:
            found[names[0]].append((rank, claim.line))
        elif names:
            notices.add("ambiguous_transcript", key)
        else:
            notices.add("transcript_without_audio", key)
    lines: dict[str, Line] = {}
    for name, ranked in found.items():
        best = min(rank for rank, _ in ranked)
        nearest = {line for rank, line in ranked if rank == best}
        if len(nearest) == 1:
            lines[name] = nearest.pop()
        else:
            notices.add("ambiguous_transcript", name)
    return lines


class _Index:
    """The audio files by every way a claim may name them."""

    def __init__(self, audio_names: Sequence[str]) -> None:
        self._ways: list[dict[str, list[str]]] = [defaultdict(list) for _ in range(4)]
        for name in audio_names:
            for way, key in zip(self._ways, (name, stem(name), base(name), base(stem(name))), strict=True):
                way[key].append(name)

    def find(self, key: str) -> tuple[int, list[str]]:
        """Return how close the match is (0 is exact) and the names that match."""
        tries = (key, key, base(key), base(key))
        for rank, (way, tried) in enumerate(zip(self._ways, tries, strict=True)):
            if tried in way:
                return rank, way[tried]
        for rank, (way, tried) in enumerate(((self._ways[1], stem(key)), (self._ways[3], base(stem(key)))), start=4):
            if tried in way:  # another extension: metadata names x.wav, the person sent x.opus
                return rank, way[tried]
        return 6, []
