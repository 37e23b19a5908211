"""The variables of the environment by which a client finds its service."""

from typing import Final

URL: Final = "ADAPTWIN_URL"
KEY: Final = "ADAPTWIN_KEY"
