"""Finds settings that contradict each other, so that one of them would be ignored. Only new jobs are checked."""

from adaptwin_core.domain.spec import BUDGETS, CompressionSpec

CUTS = ("encoder_cut", "decoder_cut")


def contradictions(spec: CompressionSpec) -> list[str]:
    """Return a sentence for each contradiction."""
    given = _given(spec)
    cuts, budgets = ([name for name in names if name in given] for names in (CUTS, BUDGETS))
    found = []
    if cuts and budgets:
        found.append(f"{budgets[0]} decides the cut: leave {' and '.join(cuts)} out, or {budgets[0]}")
    if "ranks" in given:
        unused = [name for name in (*budgets, "plan") if name in given]
        if unused:
            found.append(f"ranks say what every block keeps: leave {' and '.join(unused)} out, or ranks")
    if spec.equal_heads and not spec.has_measured_plan:
        found.append("equal_heads guides the measured plan: leave plan and ranks out, or equal_heads")
    return found


def _given(spec: CompressionSpec) -> set[str]:
    """Return the settings that a person chose. If all are given, as the API shows those of a job, a setting at its
    default counts as left out.
    """
    fields = type(spec).model_fields
    is_whole = len(spec.model_fields_set) == len(fields)
    return {
        name
        for name in spec.model_fields_set
        if getattr(spec, name) is not None and not (is_whole and getattr(spec, name) == fields[name].default)
    }
