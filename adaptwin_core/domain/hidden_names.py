"""Which files of a folder a person does not mean when they give it."""

_SYSTEM_NAMES = frozenset(
    {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "@eadir", "#recycle"}
    | {"system volume information"}
)


def is_hidden(name: str) -> bool:
    """Tell whether any part of a label is hidden or belongs to the operating system.

    One dot at the start hides a file. Several are an ellipsis, as in `...and then.wav`.
    """
    return any(
        (part.startswith(".") and not part.startswith("..")) or part.casefold() in _SYSTEM_NAMES
        for part in name.split("/")
    )
