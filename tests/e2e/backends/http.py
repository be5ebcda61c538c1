"""The little HTTP that the clients need."""

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

# A proxy of the environment is not for servers on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url: str, **query: str) -> Any | None:
    """Return the decoded answer; None where the server is not up yet or does not know the thing (404)."""
    try:
        with _opener.open(f"{url}?{urlencode(query)}" if query else url, timeout=10) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            if error.code in {404, 503}:
                return None
            raise AssertionError(f"{url}: {error.code} {error.read().decode(errors='replace')}") from error
    except (urllib.error.URLError, ConnectionError):
        return None


def text(url: str) -> str:
    """Return the answer as it is."""
    with _opener.open(url, timeout=60) as answer:
        return str(answer.read().decode())


def answers(url: str) -> bool:
    """Tell whether the server says that it is ready."""
    try:
        with _opener.open(url, timeout=60) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def post(url: str, body: bytes, content_type: str) -> int:
    """Send a body and return the status."""
    request = urllib.request.Request(url, body, {"Content-Type": content_type})
    with _opener.open(request, timeout=60) as answer:
        return int(answer.status)
