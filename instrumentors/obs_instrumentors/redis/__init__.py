"""redis-py, sync and async: its pools, caches by choice, and messages by streams, channels and lists.

Chosen: patches of the methods of commands, which all clients inherit, and of what reads answers; commands that are no
messages are told by the official instrumentor. The trace goes along in a stream's entry where no client that looks
fields up by name sees it, and in JSON that is published where no parser sees it.
"""

from __future__ import annotations

from obs_run.core.caches import wrap_either_lookup
from obs_run.core.callback_wrappers import wrap_before
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.late_functions import late_functions
from obs_run.core.message_steps import wrap_async_step, wrap_followed_step, wrap_step
from obs_run.core.peer_calls import wrap_send
from obs_run.core.pools import wrap_acquire, wrap_async_acquire, wrap_release

from .pools import POOL

_late = late_functions(__name__)

_COMMANDS, _SYNC, _ASYNC = "redis.commands.core", "redis.connection", "redis.asyncio.connection"
_CLIENT, _ASYNC_CLIENT = "redis.client", "redis.asyncio.client"
_RELEASE = wrap_release(POOL)
_PUBLISH = wrap_send(_late("sending", "begin_publish"), _late("sending", "carry_in_message"))
_REST = wrap_before(_late("reading", "note_disconnect"))
_READING = wrap_before(_late("channels", "note_reading"))


def _reading(name: str, *, optional: bool = False) -> Target:
    method = name.rpartition(".")[2]
    begin = _late("reading", f"begin_{method}")
    return Target(_COMMANDS, name, wrap_followed_step(begin), optional=optional)


def _lookup(name: str, read: str) -> Target:
    wrapper = wrap_either_lookup(_late("lookups", read))
    return Target(_COMMANDS, name, wrapper, setting=("OBS_REDIS_CACHES", ()))


INSTRUMENTORS = (
    Instrumentor(
        "redis",
        "redis",
        ">=5,<9",
        (
            Target(_SYNC, "*ConnectionPool.get_connection", wrap_acquire(POOL)),
            Target(_SYNC, "*ConnectionPool.release", _RELEASE),
            Target(_SYNC, "ConnectionPool.disconnect", _REST),
            Target(_ASYNC, "*ConnectionPool.get_connection", wrap_async_acquire(POOL)),
            Target(_ASYNC, "*ConnectionPool.release", _RELEASE),
            Target(_ASYNC, "ConnectionPool.disconnect", _REST),
            Target(
                _COMMANDS,
                "StreamCommands.xadd",
                wrap_send(_late("sending", "begin_xadd"), _late("sending", "carry_in_entry")),
            ),
            Target(_COMMANDS, "PubSubCommands.publish", _PUBLISH),
            Target(_COMMANDS, "PubSubCommands.spublish", _PUBLISH),
            _reading("StreamCommands.xread"),
            _reading("StreamCommands.xreadgroup"),
            _reading("StreamCommands.xclaim"),
            _reading("StreamCommands.xautoclaim"),
            Target(_COMMANDS, "StreamCommands.xack", wrap_before(_late("reading", "note_acknowledged"))),
            _reading("ListCommands.blpop"),
            _reading("ListCommands.brpop"),
            _reading("ListCommands.brpoplpush"),
            _reading("BasicKeyCommands.blmove"),
            _reading("ListCommands.blmpop"),
            _reading("SortedSetCommands.bzpopmin"),
            _reading("SortedSetCommands.bzpopmax"),
            _reading("SortedSetCommands.bzmpop"),
            _lookup("BasicKeyCommands.get", "read_get"),
            _lookup("BasicKeyCommands.getex", "read_get"),
            _lookup("BasicKeyCommands.mget", "read_mget"),
            _lookup("HashCommands.hget", "read_get"),
            _lookup("HashCommands.hgetall", "read_get"),
            Target("redis._parsers.helpers", "parse_stream_list", wrap_before(_late("entries", "note_entries"))),
            Target(_CLIENT, "PubSub.handle_message", wrap_step(_late("channels", "begin_handling"))),
            Target(_CLIENT, "PubSub.parse_response", _READING),
            Target(_CLIENT, "PubSub.reset", _READING),
            Target(_ASYNC_CLIENT, "PubSub.handle_message", wrap_async_step(_late("channels", "begin_handling"))),
            Target(_ASYNC_CLIENT, "PubSub.parse_response", _READING),
            Target(_ASYNC_CLIENT, "PubSub.reset", _READING),
            Target(_ASYNC_CLIENT, "PubSub.aclose", _READING, optional=True),
        ),
        ("pools of connections", "messages of Redis", "caches"),
        is_counting=True,
    ),
)
