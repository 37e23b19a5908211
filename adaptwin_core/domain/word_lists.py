"""The languages whose words the package `wordfreq` lists."""

from typing import Final

_OWN_NAME = (
    "ar bg bn ca cs da de el en es fa fi fr he hi hu id is it ja ko lt lv mk ms nl pl pt ro ru sk sl sv ta tr uk ur vi "
    "zh"
)
# Whisper's code of each language, and the list's. Serbian is left out: its list (sh) is in Latin letters only.
WORD_LISTS: Final = {code: code for code in _OWN_NAME.split()} | {"no": "nb", "tl": "fil", "hr": "sh", "bs": "sh"}
