"""Shows files on their way to the service or from it."""

from typing import TYPE_CHECKING

from adaptwin_core.cli.safe_text import printable
from adaptwin_core.cli.whole_bar import WholeBar

if TYPE_CHECKING:
    from adaptwin_core.client import Progress
    from adaptwin_core.client.progress import OnProgress


def showing(bar: WholeBar) -> "OnProgress":
    """Return what a transfer is to call with its progress."""

    def show(at: "Progress") -> None:
        share = at.done_bytes / at.total_bytes if at.total_bytes else 1.0
        bar.at(share, f"{at.done_bytes / 1e6:.1f} of {at.total_bytes / 1e6:.1f} MB, {printable(at.name)}")

    return show
