"""Finds Whisper's code for a language as people name it, and checks that a base model supports that language."""

import difflib
import re
from collections.abc import Sequence

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.language_names import MISTAKEN, NAMES

ENGLISH_ONLY = ("en",)
_BY_NAME = {name: code for code, names in NAMES.items() for name in (code, *names.split(", "))}
_NOT_NAMED = {"", "auto", "automatic", "autodetect", "detect", "unknown", "none", "null", "any", "und", "mul", "multi"}
_CANTONESE_REGIONS = {"yue", "hk", "mo"}  # regions of zh in which Cantonese is spoken
# The nearest language of every multilingual Whisper, for a language that only later ones have.
_STAND_INS = {"yue": "zh", "nn": "no"}
_VARIETIES_OF = {"zh": {"yue"}, "no": {"nn"}}  # they are languages of their own
_VARIETIES = re.compile(
    r"(american|australian|austrian|brazilian|british|canadian|egyptian|european|indian|irish|latin american|mexican|"
    r"modern|scottish|simplified|standard|traditional) "
)
_MOST_LISTED = 20
_EXAMPLES = "such as en, de or Portuguese"


def code_of(text: str) -> str:
    """Return Whisper's code for a language as people write it: a code, a tag such as de-DE, or a name.

    Raises:
        InvalidSpec: Whisper has no such language. The message says what to write instead.
    """
    said = " ".join(text.casefold().replace("<|", " ").replace("|>", " ").split())
    if said in _NOT_NAMED:
        raise InvalidSpec(f"{text!r} names no language: give that of the speech, {_EXAMPLES}", code="unknown_language")
    name = _VARIETIES.sub("", said.replace("_", " "), count=1)
    code = _BY_NAME.get(said) or _BY_NAME.get(name) or _of_tag(said) or _of_parentheses(said)
    if code is None:
        raise InvalidSpec(f"{text!r} is no language that Whisper knows: {_instead(said)}", code="unknown_language")
    return code


def named(code: str) -> str:
    """Return a language as a person reads it, such as German (de)."""
    return f"{NAMES[code].split(', ')[0].title()} ({code})"


def own_names(code: str) -> list[str]:
    """Return a language's names in its own letters, where Whisper's table has some beyond ASCII."""
    return [name for name in NAMES[code].split(", ") if not name.isascii()]


def require(code: str, available: Sequence[str] | None, base_model: str) -> None:
    """Check that a base model supports the language of the speech.

    Args:
        code: as `code_of` gave it.
        available: the codes of the base model, or None if they were never read.
        base_model: its name, for the message.

    Raises:
        InvalidSpec: it does not. The message says what to use instead.
    """
    if code in (ENGLISH_ONLY if available is None else available):
        return
    if available is None:
        reason = "its languages were never read; register it again with `adaptwin base add`"
    elif tuple(available) == ENGLISH_ONLY:
        reason = "it hears English only; take a multilingual base model, such as whisper-base"
    elif (other := _STAND_INS.get(code)) in available:
        reason = f"give {other}, or take a base model that does, such as whisper-large-v3"
    elif len(available) <= _MOST_LISTED:
        reason = f"it knows only {', '.join(available)}"
    else:
        reason = "take a base model that does"
    raise InvalidSpec(
        f"the speech is {named(code)}, which {base_model} does not support: {reason}", code="language_not_in_base"
    )


def _of_tag(said: str) -> str | None:
    """Return the code for a language tag (BCP 47) or a locale, such as zh-Hant-TW, pt_br or de_DE.UTF-8."""
    tag = re.split(r"[.@]", said)[0]
    if not re.fullmatch(r"[a-z]{2,3}([-_][a-z0-9]{2,8})+", tag):
        return None
    first, *rest = re.split("[-_]", tag)
    if first == "zh" and _CANTONESE_REGIONS & set(rest):
        return "yue"
    if first == "in" and rest == ["id"]:
        return "id"
    return _BY_NAME.get(first)


def _of_parentheses(said: str) -> str | None:
    """Return the code for a name with a variety, a region or a script, such as Chinese (Cantonese) or English (UK).

    Parentheses hold a language only if it is a variety of the one before: in English (UK), UK is not Ukrainian.
    """
    match = re.fullmatch(r"([^()]+?) ?\(([^()]+)\)", said)
    if match is None or (code := _BY_NAME.get(match[1])) is None:
        return None
    if code == "zh" and match[2] in _CANTONESE_REGIONS | {"hong kong", "macao", "macau"}:
        return "yue"
    variety = _BY_NAME.get(match[2])
    return variety if variety is not None and variety in _VARIETIES_OF.get(code, ()) else code


def _instead(said: str) -> str:
    if said in MISTAKEN:
        return f"write {MISTAKEN[said]} for {named(MISTAKEN[said])}"
    # Only names are compared, since any two codes of two letters are near each other.
    near = difflib.get_close_matches(said, [name for name in _BY_NAME if len(name) > 3], n=3, cutoff=0.75)
    meant = list(dict.fromkeys(_BY_NAME[name] for name in near))
    if meant:
        return f"did you mean {' or '.join(map(named, meant))}?"
    return f"give the code or the English name of one that it knows, {_EXAMPLES}"
