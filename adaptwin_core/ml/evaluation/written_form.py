"""Errors in the written form, which error rates leave out: numbers, capitals and punctuation.

Reference and hypothesis are aligned by words, without case and outer punctuation. Where no spaces separate words they
are aligned by characters, with runs of digits and of Latin letters kept whole. A count is None where the reference has
nothing of its kind: its writer left it out.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import jiwer

from adaptwin_core.domain.units import Unit, unit_of
from adaptwin_core.ml.evaluation.report_words import WRITTEN_KINDS

_OF_A_WORD = "%‰#@&"  # of Unicode category P, but spoken
_ONE_FORM = str.maketrans({"“": '"', "”": '"', "„": '"', "’": "'", "‘": "'", "–": "-", "—": "-", "…": "..."})
_PIECE = re.compile(r"\d+(?:[.,:/]\d+)*|[A-Za-z\u00c0-\u024f]+|\S")


@dataclass(frozen=True)
class Count:
    """`errors` among `of` places where there could be one."""

    errors: int
    of: int


@dataclass(frozen=True)
class _Token:
    written: str
    after: str = ""  # punctuation that follows it

    @property
    def key(self) -> str:
        return self.written.casefold()

    @property
    def is_number(self) -> bool:
        return any(char.isdecimal() for char in self.written)

    @property
    def is_cased(self) -> bool:
        return self.written.lower() != self.written.upper()


def as_written(references: Sequence[str], hypotheses: Sequence[str], *, language: str) -> dict[str, Count | None]:
    """Count what is written differently from the references.

    Returns:
        numbers: of the reference's words with a digit, those that are missing or written differently.
        capitals: of the words that match but for case, those with different capitals. None where the references are
            all in capitals, or without any.
        punctuation: of the places after matching words where either side has a mark, those where the marks differ.
    """
    unit = unit_of(language)
    reference_tokens, hypothesis_tokens = (
        [list(_tokens(text, unit)) for text in texts] for texts in (references, hypotheses)
    )
    tokens = [token for clip in reference_tokens for token in clip]
    if not tokens:
        return dict.fromkeys(WRITTEN_KINDS)
    pairs = list(_matching(reference_tokens, hypothesis_tokens))
    numbers = [token for token in tokens if token.is_number]
    num_right = sum(token.is_number for token, _ in pairs)
    cased = [(mine, its) for mine, its in pairs if mine.is_cased]
    marked = [(mine, its) for mine, its in pairs if mine.after or its.after]
    letters = "".join(token.written for token in tokens)
    has_capitals = any(map(str.isupper, letters)) and any(map(str.islower, letters))
    has_marks = any(token.after for token in tokens)
    return {
        "numbers": Count(len(numbers) - num_right, len(numbers)) if numbers else None,
        "capitals": Count(sum(m.written != i.written for m, i in cased), len(cased)) if has_capitals else None,
        "punctuation": Count(sum(m.after != i.after for m, i in marked), len(marked)) if has_marks else None,
    }


def as_json(counts: dict[str, Count | None]) -> dict[str, dict[str, int] | None]:
    """Return counts in the form that a report has them."""
    return {kind: None if count is None else asdict(count) for kind, count in counts.items()}


def _matching(
    references: Sequence[Sequence[_Token]], hypotheses: Sequence[Sequence[_Token]]
) -> Iterator[tuple[_Token, _Token]]:
    """Yield the reference's tokens that the hypothesis has as well, each with its counterpart."""
    reference_keys, hypothesis_keys = (
        [" ".join(token.key for token in clip) for clip in side] for side in (references, hypotheses)
    )
    for mine, its, chunks in zip(
        references, hypotheses, jiwer.process_words(reference_keys, hypothesis_keys).alignments, strict=True
    ):
        for chunk in chunks:
            if chunk.type == "equal":
                yield from zip(
                    mine[chunk.ref_start_idx : chunk.ref_end_idx],
                    its[chunk.hyp_start_idx : chunk.hyp_end_idx],
                    strict=True,
                )


def _tokens(text: str, unit: Unit) -> Iterator[_Token]:
    """Yield the words of a text, or its characters, each with the punctuation that follows it."""
    text = unicodedata.normalize("NFC", text)
    pieces = text.split() if unit is Unit.WORD else _PIECE.findall(text)
    last: _Token | None = None
    for piece in pieces:
        start, end = 0, len(piece)
        while start < end and _is_mark(piece[start]) and not _is_sign(piece, start):
            start += 1
        while end > start and _is_mark(piece[end - 1]):
            end -= 1
        written = piece[start:end]
        if written:
            if last is not None:
                yield last
            last = _Token(written, _marks(piece[end:]))
        elif last is not None:  # a mark between spaces belongs to the word before it
            last = _Token(last.written, last.after + _marks(piece))
    if last is not None:
        yield last


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] == "P" and char not in _OF_A_WORD


def _is_sign(piece: str, at: int) -> bool:
    """Return whether the mark is the minus of a number."""
    return piece[at] == "-" and piece[at + 1 : at + 2].isdecimal()


def _marks(marks: str) -> str:
    """Return the marks in one form, without opening ones, which belong to the next word."""
    return "".join(mark for mark in marks if unicodedata.category(mark) not in {"Ps", "Pi"}).translate(_ONE_FORM)
