"""``obsctl audit``: verify the audit trail, or print its records."""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.audit_trail import place, reading, seal, verification
from obs_run.audit_trail.entry import read_line
from obs_run.audit_trail.findings import NeedsKeyError, TamperedError
from obs_run.cli import moments, words
from obs_run.cli.mistake import Mistake
from obs_run.store import location

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_COPY = re.compile(r"(\d+):([0-9a-f]{64})")
_NEWEST = 50


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    commands = parser.add_subparsers(dest="what", metavar="command", title="commands", required=True)
    sentence = "Check that no record was changed, moved, inserted, deleted or cut off."
    verify = commands.add_parser("verify", help=sentence, description=sentence)
    verify.add_argument(
        "--key-file", type=Path, action="append", metavar="FILE",
        help="a key that the trail was written with (else OBS_AUDIT_KEY_FILE); again for each further key",
    )  # fmt: skip
    verify.add_argument(
        "--expect", type=_copy, action="append", default=[], metavar="SEQUENCE:HASH",
        help="a record's hash that was kept elsewhere: obs.audit.sequence and obs.audit.hash of an exported record",
    )  # fmt: skip
    sentence = "Print records of the audit trail, the oldest first."
    show = commands.add_parser("show", help=sentence, description=sentence)
    show.add_argument(
        "-n", dest="limit", type=int, default=_NEWEST, metavar="N", help=f"the newest N ({_NEWEST}; 0: all)"
    )
    show.add_argument("--since", metavar="WHEN", help="only newer ones: 90s, 30m, 1h, 2d, or a date and time")
    show.add_argument("--until", metavar="WHEN", help="only older ones")
    for name in ("action", "actor", "outcome", "service"):
        show.add_argument(f"--{name}", metavar="TEXT", help=f"only records of this {name}")
    show.add_argument("--json", action="store_true", help="print one JSON object a line")
    for command in (verify, show):
        command.add_argument(
            "file", nargs="?", type=Path, metavar="FILE", help="the trail (else OBS_AUDIT_FILE, or the user's)"
        )


def run(args: argparse.Namespace) -> int:
    """Do what was asked for."""
    where = place.default() if args.file is None else place.Place(location.absolute(args.file))
    try:
        if not (where.active.exists() or where.head.exists() or (where.active.parent.is_dir() and where.numbers())):
            raise Mistake(f"there is no audit trail at {where.active}")
        if where.active.is_dir():
            raise Mistake(f"{where.active} is a folder; the trail is a file such as {where.active / 'audit.jsonl'}")
        return _verify(args, where) if args.what == "verify" else _show(args, where)
    except OSError as error:
        raise Mistake(f"the audit trail at {where.active} cannot be read: {error.strerror or error}") from None


def _copy(text: str) -> tuple[int, str]:
    match = _COPY.fullmatch(text)
    if match is None:
        raise Mistake(f"--expect {text!r} is not a sequence number, a colon and 64 hexadecimal digits")
    return int(match[1]), match[2]


def _verify(args: argparse.Namespace, where: place.Place) -> int:
    files = args.key_file or [settings.get("OBS_AUDIT_KEY_FILE")]
    try:
        keys = [seal.read_key(location.absolute(file)) for file in files if file]
    except seal.KeyFileError as error:
        raise Mistake(str(error)) from None
    try:
        result = verification.verify(where, seal.by_key(*keys), dict(args.expect))
    except NeedsKeyError as error:
        raise Mistake(
            f"the audit trail at {where.active} is kept with a key (its id is {error}): "
            "set OBS_AUDIT_KEY_FILE or --key-file"
        ) from None
    except TamperedError as error:
        print(f"audit trail {where.active} does not verify: {words.one_line(str(error))}")
        return 1
    parts = [words.count(result.records, "record"), f"in {words.count(result.files, 'file')}"]
    if result.records:
        parts += [f"from {result.since} to {result.until}", f"head {result.head.sequence}:{result.head.hash}"]
    if result.key_id:
        parts.append(f"key {result.key_id}")
    print(f"audit trail {where.active} verifies: {', '.join(parts)}")
    for note in result.notes:
        print(f"  {words.one_line(note)}")
    return 0


def _show(args: argparse.Namespace, where: place.Place) -> int:
    if args.limit < 0:
        raise Mistake("-n takes a number from 0")
    bounds = [_bound("--since", args.since), _bound("--until", args.until)]
    wanted = {name: text for name in ("action", "actor", "outcome", "service") if (text := getattr(args, name))}
    from collections import deque

    entries: deque[dict[str, Any]] = deque(
        (entry for entry in _entries(where) if _fits(entry, bounds, wanted)), maxlen=args.limit or None
    )
    for entry in entries:
        print(json.dumps(entry, ensure_ascii=False) if args.json else _line(entry))
    if not entries:
        print("obsctl: no record of the audit trail fits", file=sys.stderr)
        return 1
    return 0


def _bound(option: str, text: str | None) -> int | None:
    return None if text is None else moments.parse(option, text)


def _entries(where: place.Place) -> Iterator[dict[str, Any]]:
    foreign = 0
    with reading.opened(where) as trail:
        for file in trail.files:
            for line in file.lines():
                entry = read_line(line.data, {})
                if entry is None:
                    foreign += 1
                else:
                    yield {**entry.fields, "hash": entry.hash}
    if foreign:
        verb = "is" if foreign == 1 else "are"
        lines = f"{words.count(foreign, 'line')} that {verb} no record"
        print(f"obsctl: the audit trail has {lines}; see obsctl audit verify", file=sys.stderr)


def _fits(entry: dict[str, Any], bounds: list[int | None], wanted: dict[str, str]) -> bool:
    since, until = bounds
    if since is not None or until is not None:
        # Python 3.10 does not read the Z.
        moment = datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp() * 1e9
        if (since is not None and moment < since) or (until is not None and moment > until):
            return False
    fields = {**_with_action(entry), "service": entry.get("service")}
    return all(str(fields.get(name)) == text for name, text in wanted.items())


def _with_action(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the record; one of a logger has a message in the place of an action."""
    record: dict[str, Any] = entry["record"]
    return record if "action" in record else {"action": record.get("message"), **record}


def _line(entry: dict[str, Any]) -> str:
    record = dict(_with_action(entry))
    time = entry["time"].replace("T", " ")
    parts = [f"{entry['sequence']:>6}  {time}  {entry.get('service')}  {record.pop('action')}"]
    record.pop("message", None)
    for inside in ("context", "data", "details"):
        if isinstance(record.get(inside), dict):
            record.update(record.pop(inside))
    for name, value in record.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        needs_quotes = " " in text or not text
        parts.append(f"{name}={json.dumps(text, ensure_ascii=False) if needs_quotes else text}")
    return words.one_line("  ".join(parts[:1]) + "".join(f"  {part}" for part in parts[1:]))
