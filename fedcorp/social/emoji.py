"""Whether a text is one emoji, and how that one is spelled. Pure; looks nothing up.

The grammar is that of Unicode Technical Standard 51, section 1.4.9: a picture with a colour of skin or a variation
selector, several joined, a flag, or a keycap. It does not ask whether anybody ever drew that
sequence. What is a text unless U+FE0F follows is told by the property Emoji_Presentation of Unicode 15.
"""

import re

MAX_CODES = 32

_PICTURE = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa"
    "\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2604\u260e\u2611\u2614-\u2685\u2690-\u2705\u2708-\u2712\u2714"
    "\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763\u2764\u2795-\u2797\u27a1"
    "\u27b0\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299"
    "\U0001f004\U0001f0cf\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f19a\U0001f201\U0001f202"
    "\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f250\U0001f251\U0001f300-\U0001f3fa\U0001f400-\U0001f64f"
    "\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7eb\U0001f7f0\U0001f90c-\U0001faff]"
)
_ELEMENT = f"{_PICTURE}(?:\ufe0f|[\U0001f3fb-\U0001f3ff])?(?:[\U000e0030-\U000e007a]{{1,8}}\U000e007f)?"
_EMOJI = re.compile(
    f"(?:{_ELEMENT}(?:\u200d{_ELEMENT}){{0,8}}|[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|[\U0001f3fb-\U0001f3ff])"
)


def is_emoji(text: str) -> bool:
    """Whether this is exactly one emoji, and nothing beside it."""
    return len(text) <= MAX_CODES and _EMOJI.fullmatch(text) is not None


_DRAWN = (  # those of _PICTURE below U+10000 that are pictures by themselves
    "[\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be"
    "\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757"
    "\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55]"
)
_WRITTEN = (  # those above that are text by themselves
    "[\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f202\U0001f237\U0001f321\U0001f324-\U0001f32c\U0001f336\U0001f37d"
    "\U0001f396\U0001f397\U0001f399-\U0001f39b\U0001f39e\U0001f39f\U0001f3cb-\U0001f3ce\U0001f3d4-\U0001f3df\U0001f3f3"
    "\U0001f3f5\U0001f3f7\U0001f43f\U0001f441\U0001f4fd\U0001f549\U0001f54a\U0001f56f\U0001f570\U0001f573-\U0001f579"
    "\U0001f587\U0001f58a-\U0001f58d\U0001f590\U0001f5a5\U0001f5a8\U0001f5b1\U0001f5b2\U0001f5bc\U0001f5c2-\U0001f5c4"
    "\U0001f5d1-\U0001f5d3\U0001f5dc-\U0001f5de\U0001f5e1\U0001f5e3\U0001f5e8\U0001f5ef\U0001f5f3\U0001f5fa\U0001f6cb"
    "\U0001f6cd-\U0001f6cf\U0001f6e0-\U0001f6e5\U0001f6e9\U0001f6f0\U0001f6f3]"
)
_TEXT = re.compile(f"(?:(?=[\0-\uffff])(?!{_DRAWN}){_PICTURE}|{_WRITTEN})(?![\U0001f3fb-\U0001f3ff])|[0-9#*](?=\u20e3)")


def spell(text: str) -> str:
    """The same emoji in the one spelling in which apps offer it: U+FE0F stands where it would be text otherwise, and
    nowhere else. Takes what `is_emoji`."""
    return _TEXT.sub("\\g<0>\ufe0f", text.replace("\ufe0f", ""))
