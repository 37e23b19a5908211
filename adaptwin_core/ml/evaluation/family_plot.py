"""The models of a family as a plot: error rate over size, with intervals, and the one to take."""

from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

from adaptwin_core.domain.units import Unit

mpl.use("Agg")
import matplotlib.pyplot as plt

# Base models differ by colour and by marker, so that colour alone tells nothing.
_STYLES: Final = (("#0a7d5a", "o"), ("#8a4fbf", "s"), ("#c2571a", "^"), ("#1f6fb2", "D"))


def write_family_plot(family: Mapping[str, Any], path: Path) -> None:
    """Draw what `stages.choose` found, as PNG. A model without an error rate is left out."""
    figure, axes = plt.subplots(figsize=(9, 4.2))
    models = [(place, model) for place, model in enumerate(family["models"]) if "speaker" in model["speech"]]
    style_of = dict(zip(dict.fromkeys(model["base_model"] for _, model in models), cycle(_STYLES), strict=False))
    for place, model in models:
        colour, marker = style_of[model["base_model"]]
        score = model["speech"]["speaker"]["compressed"]
        rate, low, high = (100 * score[name] for name in ("error_rate", "error_rate_low", "error_rate_high"))
        size = model["weights_bytes"] / 1e6
        face = colour if model["is_on_frontier"] else "white"
        label = f"{place + 1}  {model['name']}"
        spans = [[rate - low], [high - rate]]
        axes.errorbar([size], [rate], spans, fmt=marker, color=colour, mfc=face, capsize=3, label=label)
        axes.annotate(str(place + 1), (size, rate), xytext=(7, 4), textcoords="offset points", size=9)
        if place == family["take"]:
            axes.plot([size], [rate], "o", ms=18, mfc="none", mec="black", label="the one to take")
    unit = next((Unit(model["speech"]["speaker"]["unit"]).rate for _, model in models), "error rate")
    axes.set_xlabel("MB of weights")
    axes.set_ylabel(f"{unit} of this speaker, %")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    title = "Filled: no other is as small, as fast and as good"
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1), frameon=False, fontsize=8, title=title, title_fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
