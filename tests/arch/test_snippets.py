"""The pages show the lines for each form that the model cards show, letter by letter."""

import re

import pytest

from adaptwin_core.domain.exports import CHECKPOINT, FORMATS
from adaptwin_core.domain.snippets import snippet
from tests.arch.pages import ROOT

PAGES = "".join((ROOT / "docs" / name).read_text() for name in ("exports.md", "on-device.md"))
SHOWN = (CHECKPOINT, "dense", "ct2-int8", "onnx-int8", "sherpa-int8", "ggml-q8_0")


@pytest.mark.parametrize("form", SHOWN)
def test_a_page_shows_the_lines_of_the_cards(form: str) -> None:
    assert f"\n{snippet(form, language='en', margin_s=0.5)}\n" in PAGES


@pytest.mark.parametrize("form", FORMATS)
def test_a_form_that_no_page_shows_differs_from_a_shown_one_in_a_name_alone(form: str) -> None:
    (shown,) = (other for other in SHOWN if other.partition("-")[0] == form.partition("-")[0])
    ours, theirs = (
        re.sub(r"ggml-model-\w+|\.int8|q8|fp32", "", snippet(one, language="en", margin_s=0.5)) for one in (form, shown)
    )
    assert ours == theirs


@pytest.mark.parametrize("form", [CHECKPOINT, *FORMATS])
def test_every_runtime_is_told_of_a_language_that_it_would_not_take_for_granted(form: str) -> None:
    assert '"de"' in snippet(form, language="de", margin_s=0.5)


@pytest.mark.parametrize("form", ["checkpoint", "dense", "onnx-int8"])
def test_those_that_refuse_a_language_for_an_english_model_are_not_told_of_english(form: str) -> None:
    assert '"en"' not in snippet(form, language="en", margin_s=None)
