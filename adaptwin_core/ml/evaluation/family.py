"""The models of one job beside each other: which of them no other beats, and which one to take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from adaptwin_core.domain.devices import UTTERANCE_S
from adaptwin_core.domain.model_limits import ModelLimits
from adaptwin_core.ml.evaluation.report_lines import SPEECH, rate_of
from adaptwin_core.ml.evaluation.scoring import Score, difference
from adaptwin_core.ml.evaluation.window_choice import MOST_WORSE_IF_UNSURE


@dataclass(frozen=True)
class Sibling:
    """One model of a family, as it is chosen by.

    Attributes:
        name: what a person reads.
        score: on the clips to choose by, which are the same for all; None where these hold no word.
        ms: the time of an utterance of 4 s: on the device that is named, or measured here.
    """

    name: str
    score: Score | None
    weights_bytes: int
    ms: float

    @property
    def num_errors(self) -> int:
        return 0 if self.score is None else self.score.num_errors

    def beats(self, other: "Sibling") -> bool:
        """Tell whether it is no larger, no slower and no worse than the other, and better in one of these."""
        mine, its = ((model.weights_bytes, model.ms, model.num_errors) for model in (self, other))
        return mine != its and all(one <= two for one, two in zip(mine, its, strict=True))


class Choice(NamedTuple):
    """The place of the model to take, or None where none fits; and the reason in a sentence."""

    place: int | None
    sentence: str


def frontier(family: Sequence[Sibling]) -> list[bool]:
    """Tell of each model whether no other of its family beats it in bytes, time and errors."""
    return [not any(other.beats(model) for other in family) for model in family]


def choose(family: Sequence[Sibling], limits: ModelLimits) -> Choice:
    """Choose among the models that fit: of those that are about as good as the best, the smallest.

    A model is about as good if it is not surely worse than the one with the fewest errors (paired bootstrap) and its
    error rate is at most one point higher.
    """
    fitting = [place for place, model in enumerate(family) if _fits(model, limits)]
    if not fitting:
        return Choice(None, _none_fits(family, limits))
    is_unbeaten = frontier([family[place] for place in fitting])
    unbeaten = [place for place, stands in zip(fitting, is_unbeaten, strict=True) if stands]
    best = min(unbeaten, key=lambda place: (family[place].num_errors, family[place].weights_bytes))
    close = [place for place in unbeaten if _is_close(family[place], family[best])]
    taken = min(close, key=lambda place: (family[place].weights_bytes, family[place].num_errors, family[place].ms))
    return Choice(taken, " ".join(_why(family, taken, best, len(fitting), limits)))


def _fits(model: Sibling, limits: ModelLimits) -> bool:
    most_bytes, most_ms = limits.most_bytes, limits.most_ms
    return (most_bytes is None or model.weights_bytes <= most_bytes) and (most_ms is None or model.ms <= most_ms)


def _is_close(model: Sibling, best: Sibling) -> bool:
    if model.score is None or best.score is None:
        return True
    apart = difference(model.score, best.score)
    return apart.low <= 0 and apart.rate <= MOST_WORSE_IF_UNSURE


def _why(family: Sequence[Sibling], taken: int, best: int, num_fitting: int, limits: ModelLimits) -> Iterator[str]:
    model = family[taken]
    among = "of all models"
    if limits.are_any:
        among = f"of the {num_fitting} models that fit {_in_words(limits)}"
    if num_fitting == 1:
        yield f"Take {model.name} ({_size(model)}). It is the only model{_that_fits(limits)}."
        return
    yield f"Take {model.name} ({_size(model)})."
    if model.score is None:
        yield f"It is only the smallest {among}: no transcripts could show which recognizes this speaker best."
    elif taken == best:
        yield f"It gets the fewest {model.score.unit.plural} wrong {among}, and no smaller one is about as good."
    else:
        other = family[best]
        assert other.score is not None  # all of a family have the same clips
        yield (
            f"It is the smallest {among} that is about as good as the best. On the {len(model.score.clips)} clips that "
            f"decide, it gets {100 * model.score.error_rate:.1f} % of the {model.score.unit.plural} wrong, and "
            f"{other.name} ({_size(other)}) {100 * other.score.error_rate:.1f} %."
        )


def _none_fits(family: Sequence[Sibling], limits: ModelLimits) -> str:
    if len(family) == 1:
        return f"The model does not fit {_in_words(limits)}: it is {_size(family[0])}. Cut more, or raise the limits."
    smallest = min(family, key=lambda model: model.weights_bytes)
    fastest = min(family, key=lambda model: model.ms)
    return (
        f"No model fits {_in_words(limits)}. The smallest is {smallest.name} ({_size(smallest)}), the fastest "
        f"{fastest.name} ({_size(fastest)}). Ask for smaller models, start from a smaller base model, or raise the "
        "limits."
    )


def _in_words(limits: ModelLimits) -> str:
    wanted = []
    if limits.most_bytes is not None:
        wanted.append(f"{limits.most_bytes / 1e6:g} MB")
    if limits.most_ms is not None:
        wanted.append(f"{limits.most_ms:.0f} ms for {UTTERANCE_S:g} s of speech")
    on = "" if limits.device is None else f" on a {limits.device}"
    return f"{' and '.join(wanted)}{on}"


def _that_fits(limits: ModelLimits) -> str:
    return f" that fits {_in_words(limits)}" if limits.are_any else ""


def _size(model: Sibling) -> str:
    return f"{model.weights_bytes / 1e6:.1f} MB, {model.ms:.0f} ms"


def family_table(family: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a table, in Markdown, of what `stages.choose` found."""
    yield "| model | MB | ms for 4 s | error rate | others | |"
    yield "|---|---|---|---|---|---|"
    for place, model in enumerate(family["models"]):
        heard = [rate_of(model["speech"][kind]["compressed"]) if kind in model["speech"] else "-" for kind in SPEECH]
        mark = "**take this one**" if place == family["take"] else "" if model["is_on_frontier"] else "beaten"
        size = f"{model['weights_bytes'] / 1e6:.1f} | {model['ms']:.0f}"
        yield f"| {model['name']} | {size} | {' | '.join(heard)} | {mark} |"
