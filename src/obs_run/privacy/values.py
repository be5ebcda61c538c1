"""What stands where a secret would and is none: words that say so, variables, templates, and names of other things."""

from __future__ import annotations

import re

_FREE = re.compile(
    rb"(?:[01]|none|null|nil|true|false|undefined|yes|no|str|string|bytes|int|bool|boolean|number|object|any|text"
    rb"|optional"
    rb"|required|missing|invalid|expired|empty|hidden|redacted|changed|incorrect|wrong|masked|removed|filtered|secret"
    rb"|password|token|unset|not|must|should|is|was|has|may|the|a|an|in|and|or|if|for|from|your|our|my|this|that|ok|set"
    rb"|await|new|yield|return|secretstr|default|value|basic|bearer|oauth2?|jwt|n/?a|tbd|todo|\?+|-+|\*+|x{3,}"
    rb"|[\w-]{0,12}\.{3,}[\w-]{0,8}|[\w-]{0,12}x{4,}|![a-z][\w-]*|your[-_ ][\w -]{1,40}"
    rb"|(?:my|the|some|an?)[-_](?:api[-_])?(?:key|token|secret)"
    rb"|(?:api[-_]?|access[-_]?|secret[-_]?|private[-_]?)?(?:key|token)|pass(?:phrase)?|credentials?"
    rb"|[\w-]*place[-_]?holder[\w-]*|change[-_]?me[a-z_-]*|(?:replace|insert|enter|put)[-_][a-z_-]+"
    rb"|[$%#@]?\{{1,2}[^{}]*\}{1,2}|<[^<>]*>?|\$\(?\w+\)?|\$\{[^{}]*\}?|%\(?\w*\)?s|%[\w]+%|\[\w[\w.:-]*\]"
    rb"|:\w+|@p\d+|sha(?:1|256|384|512):[\w+/]{27,88}={0,2})[.,;:!?]?$"
)
# What a shell puts there, unless it is itself what is said: $(echo hunter2).
_SHELL = re.compile(
    rb"(?:\$\((?![ ]?(?:echo|printf)\b)[^\n]{0,300}\)|`(?![ ]?(?:echo|printf)\b)[^`\n ]{1,60} [^`\n]{0,300}`)$"
)


def is_free(value: bytes) -> bool:
    """Whether ``value``, in lower case, says that there is no secret, or where one comes from."""
    return _FREE.match(value) is not None or (value[:1] in b"$`" and _SHELL.match(value) is not None)
