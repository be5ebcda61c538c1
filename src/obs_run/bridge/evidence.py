"""What speaks for it that two log lines belong together, and which of that is sure."""

from enum import Enum


class Evidence(Enum):
    """What speaks for a pair, the surest first."""

    BLOCK = "block"
    """The lines stand around what runs inside: a block of ``with``, the call of what a decorator wraps."""
    VERB = "verb"
    """Both say the same verb, as "loading" and "loaded", or verbs of the same work."""
    NOUNS = "nouns"
    """Both are about the same thing: one says that it begins, the other that it is over."""
    VALUE = "value"
    """Both are about the same value: one says that something begins, the other that something is over."""
    HEAD = "head"
    """Both begin with the same words and value."""
    ITERATION = "iteration"
    """One of several that follow each other, by their number."""
    REQUEST = "request"
    """A message was received; what answers it, or the next one, ends it."""
    SUBJECT = "subject"
    """One says that something begins; the other is the last line about the same."""
    RESULT = "result"
    """One says that something is over; the other is the first line about the same."""
    OTHER_FUNCTION = "function"
    """Another function tells the end, with the same words and values."""
    EXIT = "exit"
    """One is the first thing that its function does; the other is the last line before that is left."""
    PLACE = "place"
    """They are the first and the last line of a function, and share a value."""
    COMPLETION = "completion"
    """The end says that something is over, and not what."""
    FAILURE = "failure"
    """No line tells of an end that went well."""
    RETURN = "return"
    """The first line of a function says what it does, and none its end."""
    DURATION = "duration"
    """One line tells how long something took."""


SURE = frozenset((
    Evidence.BLOCK, Evidence.VERB, Evidence.NOUNS, Evidence.VALUE, Evidence.HEAD, Evidence.REQUEST, Evidence.ITERATION,
    Evidence.SUBJECT, Evidence.RESULT, Evidence.OTHER_FUNCTION,
))  # fmt: skip
"""What has been right in at least 98 of 100 spans, of all that have been measured."""
