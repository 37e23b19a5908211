"""Names the option that was meant, where one is misspelt. For a command, typer does so."""

from typing import Any

import typer
from typer.core import TyperGroup


class SuggestingGroup(TyperGroup):
    """The group of all commands."""

    def invoke(self, ctx: Any) -> Any:  # a Context of the click inside typer
        try:
            return super().invoke(ctx)
        except typer.TyperException as fault:
            near = getattr(fault, "possibilities", None)  # of an option that is not known
            if near:
                fault.message = f"{fault.message}. Did you mean {' or '.join(sorted(near))}?"
                fault.possibilities = None  # type: ignore[attr-defined]  # else they are told twice
            raise
