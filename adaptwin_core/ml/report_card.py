"""A report in words: the sentences that a command prints."""

from collections.abc import Mapping
from typing import Any


def lines(report: Mapping[str, Any]) -> list[str]:
    """Return what a report says, in plain sentences."""
    told = []
    for kind, found in report["speech"].items():
        rates = " and ".join(
            f"{100 * found[name]['wer']:.1f} % for the {name} model"
            for name in ("original", "compressed")
            if name in found
        )
        told.append(f"{kind}: the word error rate is {rates}, on {found['num_clips']} held-out clips")
    return told
