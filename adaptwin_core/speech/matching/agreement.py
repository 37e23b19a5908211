"""What is known of a recording once several claims speak of it: which of them count, and whether these agree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from adaptwin_core.speech.annotations import Annotation, Claim
from adaptwin_core.speech.matching.nearest_files import Likeness, Nearness
from adaptwin_core.speech.notices import Notices

T = TypeVar("T")


class Rank(NamedTuple):
    """How much a claim's word on a file counts. The first difference decides; larger counts more."""

    nearness: Nearness
    is_sidecar: bool
    likeness: Likeness


@dataclass(frozen=True)
class Remark:
    """What one claim says of a file."""

    rank: Rank
    claim: Claim


def agreed_annotation(name: str, remarks: Sequence[Remark], notices: Notices) -> Annotation:
    """Return what the claims on one file say together."""
    ranked = sorted(remarks, key=lambda remark: remark.rank, reverse=True)
    text = _agreed(name, ranked, lambda annotation: annotation.text or None, notices)
    if text is None and all(
        not remark.claim.annotation.text for remark in ranked
    ):  # silence, where no other text has words
        text = _agreed(name, ranked, lambda annotation: annotation.text, notices)
    for remark in ranked:
        if text is not None and remark.claim.annotation.text not in {None, "", text}:
            notices.warn("overruled_transcript", remark.claim.place)
    return Annotation(text, _agreed(name, ranked, lambda annotation: annotation.split, notices))


def says_anything(remarks: Sequence[Remark]) -> bool:
    return any(remark.claim.annotation != Annotation() for remark in remarks)


def _agreed(name: str, ranked: Sequence[Remark], of: Callable[[Annotation], T | None], notices: Notices) -> T | None:
    """Return what the highest claims that say anything agree on, or None where they differ."""
    saying = [(remark.rank, said) for remark in ranked if (said := of(remark.claim.annotation)) is not None]
    highest = {said for rank, said in saying if rank == saying[0][0]}
    if len(highest) > 1:
        notices.warn("ambiguous_transcript", name)
    return highest.pop() if len(highest) == 1 else None


def share(annotations: dict[str, Annotation], group: Sequence[str]) -> None:
    """Give all files of one recording what is known of any, unless they turn out to be different recordings."""
    known = [annotations[name] for name in group if name in annotations]
    texts = {annotation.text for annotation in known} - {None}
    if known and len(texts) <= 1:
        split = next((annotation.split for annotation in known if annotation.split), None)
        annotations.update(dict.fromkeys(group, Annotation(next(iter(texts), None), split)))
