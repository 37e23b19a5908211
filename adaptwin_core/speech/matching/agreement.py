"""Settles what is known of a recording that several claims mean: which of them count, and whether these agree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from adaptwin_core.speech.annotations import Annotation, Claim
from adaptwin_core.speech.matching.nearest_files import Likeness, Nearness
from adaptwin_core.speech.notices import Notices

T = TypeVar("T")


class Rank(NamedTuple):
    """How much a claim on a file counts. The first field that differs decides; the larger one counts more."""

    nearness: Nearness
    is_sidecar: bool
    likeness: Likeness


@dataclass(frozen=True)
class Remark:
    """A claim on a file, and how much it counts."""

    rank: Rank
    claim: Claim


def agreed_annotation(name: str, remarks: Sequence[Remark], notices: Notices) -> Annotation:
    """Return what the claims on one file say together. Of those that count equally, all must agree."""
    ranked = sorted(remarks, key=lambda remark: remark.rank, reverse=True)
    text = _agreed(name, ranked, lambda annotation: annotation.text or None, notices)
    if text is None and all(
        not remark.claim.annotation.text for remark in ranked
    ):  # silence counts only where no claim has words
        text = _agreed(name, ranked, lambda annotation: annotation.text, notices)
    for remark in ranked:
        if text is not None and remark.claim.annotation.text not in {None, "", text}:
            notices.warn("overruled_transcript", remark.claim.place)
    return Annotation(text, _agreed(name, ranked, lambda annotation: annotation.split, notices))


def says_anything(remarks: Sequence[Remark]) -> bool:
    """Tell whether any claim gives a text or a split."""
    return any(remark.claim.annotation != Annotation() for remark in remarks)


def _agreed(name: str, ranked: Sequence[Remark], of: Callable[[Annotation], T | None], notices: Notices) -> T | None:
    """Return what the highest claims that have such a value agree on, or None where they differ."""
    saying = [(remark.rank, said) for remark in ranked if (said := of(remark.claim.annotation)) is not None]
    highest = {said for rank, said in saying if rank == saying[0][0]}
    if len(highest) > 1:
        notices.warn("ambiguous_transcript", name)
    return highest.pop() if len(highest) == 1 else None


def share(annotations: dict[str, Annotation], group: Sequence[str]) -> None:
    """Give all files of one recording what is known of any, unless their texts differ."""
    known = [annotations[name] for name in group if name in annotations]
    texts = {annotation.text for annotation in known} - {None}
    if known and len(texts) <= 1:
        split = next((annotation.split for annotation in known if annotation.split), None)
        annotations.update(dict.fromkeys(group, Annotation(next(iter(texts), None), split)))
