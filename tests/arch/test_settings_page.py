"""docs/settings.md is every setting. After a change that is meant: `python -m tests.arch.test_settings_page`."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from adaptwin_core.domain.spec import CompressionSpec, SpectralRanks
from adaptwin_core.store.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
HEAD = "| {} | what | default |\n|---|---|---|\n"


def current() -> str:
    return f"""# Settings

A job has settings, and so has the service. Both tables come from the code.

## Of a job

Give these as `spec` in `POST /v1/jobs`, or as JSON after `--settings` in `adaptwin jobs submit` and
`adaptwin compress`.

Three ways set the size of the model: `encoder_cut` and `decoder_cut`; one of `model_cut`, `max_bytes` and `max_wer`; or
`ranks`. The column "default" says what holds if a setting is left out.

{_table("setting", CompressionSpec)}
`ranks` holds these numbers:

{_table("part", SpectralRanks)}
## Of the service

These are environment variables. `adaptwin up` sets the first four itself. It also sets `ADAPTWIN_BLOCK_THREADS`, to the
number of cores divided by the number of workers. `docker-compose.yml` sets its own.

{_table("variable", Settings, named=_variable)}"""


def _table(first: str, model: type[BaseModel], named: Any = lambda name: name) -> str:
    rows = [
        f"| `{named(name)}` | {field.description} | {_default(field.default)} |"
        for name, field in model.model_fields.items()
    ]
    return HEAD.format(first) + "\n".join(rows) + "\n"


def _variable(name: str) -> str:
    return name.upper() if name in {"database_url", "redis_url"} else f"ADAPTWIN_{name.upper()}"


def _default(value: Any) -> str:
    if repr(value) == "PydanticUndefined":
        return "must be given"
    if value is None or value == ():
        return "-"
    return f"`{value:,}`" if isinstance(value, int) and not isinstance(value, bool) else f"`{value}`"


def test_the_page_is_current():
    assert PAGE.read_text() == current(), "settings changed: run `python -m tests.arch.test_settings_page`"


def test_every_setting_says_what_it_is():
    for model in (CompressionSpec, SpectralRanks, Settings):
        assert [name for name, field in model.model_fields.items() if not field.description] == []


if __name__ == "__main__":
    PAGE.write_text(current())
