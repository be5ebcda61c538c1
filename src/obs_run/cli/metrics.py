"""``obsctl metrics``: the metrics that were recorded and what they came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.analysis.series import series
from obs_run.cli import selection, tables, terminal, words
from obs_run.cli.tables import Column, Row
from obs_run.telemetry.matching import is_value

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from obs_run.analysis.series import Series
    from obs_run.telemetry.reader import TraceReader
    from obs_run.telemetry.records import Attributes

_METRICS = (
    Column("SERVICE", 3, is_cut=True, is_shared=True),
    Column("METRIC"),
    Column("KIND", 4),
    Column("UNIT", 2),
    Column("SERIES", 1, is_number=True),
    Column("LAST", 5),
)
_SERIES = (
    Column("VALUE", is_number=True),
    Column("N", 2, is_number=True),
    Column("MEAN", 3, is_number=True),
    Column("P50", 5, is_number=True),
    Column("P95", 4, is_number=True),
    Column("SERVICE", 6, is_cut=True, is_shared=True),
    Column("ATTRIBUTES", is_cut=True),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("name", nargs="?", metavar="METRIC", help="print the series of this metric")
    parser.add_argument("--service", metavar="NAME", help="only of this service")
    parser.add_argument("--since", metavar="WHEN", help="only points newer than 90s, 30m, 1h, 2d, or a date and time")
    parser.add_argument("--until", metavar="WHEN", help="only points older than that")
    parser.add_argument(
        "--attribute", action="append", default=[], metavar="NAME=VALUE", help="only series with all of these"
    )
    parser.add_argument("--text", metavar="TEXT", help="only metrics in whose name this occurs")
    selection.json_argument(parser)
    terminal.store_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print the metrics, or the series of one."""
    since, until = selection.moment("--since", args.since), selection.moment("--until", args.until)
    wanted = selection.attributes(args.attribute) or {}
    with terminal.open_store(args.store) as reader:
        if reader is None:
            return 1
        points = reader.points(name=args.name, service=args.service, since_ns=since, until_ns=until)
        found = [each for each in series(points) if _is_meant(each, args.text, wanted)]
        if not found:
            return selection.nothing(_missing(reader, args.name))
    if args.json:
        selection.print_json(map(_object, found))
    elif args.name:
        _print_series(found)
    else:
        _print_names(found)
    return 0


def _is_meant(one: Series, text: str | None, wanted: dict[str, str]) -> bool:
    if text and text.lower() not in one.name.lower():
        return False
    return all(name in one.attributes and is_value(one.attributes[name], value) for name, value in wanted.items())


def _missing(reader: TraceReader, name: str | None) -> str:
    if "metrics" not in reader.signals:
        return f"{reader.place} holds no metrics"
    if name is None:
        return f"no metric of {reader.place} fits"
    from difflib import get_close_matches

    near = get_close_matches(name, {point.name for point in reader.points()}, 1)
    return f"no metric {name} in {reader.place}" + (f"; did you mean {near[0]}?" if near else "; see obsctl metrics")


def _print_names(found: Sequence[Series]) -> None:
    groups: dict[tuple[str, str], list[Series]] = {}
    for each in found:
        groups.setdefault((each.service, each.name), []).append(each)
    rows = [
        Row(
            (
                service,
                name,
                of[0].kind,
                of[0].unit or "-",
                str(len(of)),
                words.clock(max(each.last_ns for each in of)).rsplit("+", 1)[0],
            )
        )
        for (service, name), of in groups.items()
    ]
    tables.print_table(_METRICS, rows)


def _print_series(found: Sequence[Series]) -> None:
    shared = {
        name: value
        for name, value in found[0].attributes.items()
        if all(each.attributes.get(name) == value for each in found)
    }
    tables.print_table(_SERIES, [_series_row(each, shared) for each in found])
    if shared and len(found) > 1:
        tables.print_lines([(f"all with {_labels(shared)}", "dim")])


def _labels(attributes: Attributes) -> str:
    return words.one_line(" ".join(f"{name}={value}" for name, value in attributes.items()))


def _series_row(one: Series, shared: Attributes) -> Row:
    own = {name: value for name, value in one.attributes.items() if name not in shared}
    cells = (
        tables.number(one.value),
        "-" if one.count is None else str(one.count),
        tables.number(one.mean),
        tables.number(one.quantile(0.5)),
        tables.number(one.quantile(0.95)),
        one.service,
        _labels(own or one.attributes) or "-",
    )
    return Row(cells)


def _object(one: Series) -> dict[str, Any]:
    return {
        "service": one.service,
        "name": one.name,
        "kind": one.kind,
        "unit": one.unit,
        "attributes": one.attributes,
        "last_ns": one.last_ns,
        "value": one.value,
        "count": one.count,
        "mean": one.mean,
        "p50": one.quantile(0.5),
        "p95": one.quantile(0.95),
    }
