"""Write the table of names of people from the lists of the package Faker, and of words from Python's own library.

``uv run --with faker python tools/make_names.py``
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faker.providers import address, lorem, person

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE / "src"))

from obs_run.privacy.name_tables import PATH, plain  # noqa: E402 (where the package is not installed)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u0300-\u0dff])+")
_LOWER = re.compile(r"(?<![\w.])[a-z]{3,}(?![\w(=])")
_FEWEST_LETTERS, _FEWEST_TIMES, _LONGEST = 3, 4, 14
# A name that so many countries have is one, though texts have it in small letters.
_COUNTRIES_OF_NAMES = 7
_PLACES = ("countries", "states", "provinces", "regions")
# Signs of no alphabet with capitals, whose words cannot be told from names.
_SCRIPTS = re.compile(r"[a-z'\u0370-\u03ff\u0400-\u04ff\u0590-\u05ff\u0600-\u06ff\u0900-\u097f]+$")
_WITH_CAPITALS = re.compile(r"[a-z'\u0370-\u03ff\u0400-\u04ff]+$")
_OTHERS = (
    "claude alexa siri cortana gemini mistral llama grok jenkins cassandra hermes apollo athena zeus atlas python "
    "ruby perl julia ada pascal elm crystal jasper sage amber jade iris flora aurora luna nova stella victoria "
    "florence charlotte austin houston dallas madison lincoln washington jordan israel chad kenya india china "
    "america georgia virginia carolina dakota montana sydney adelaide paris london milan roma siena sienna verona "
    "valencia lourdes santa san saint monte mercedes porsche ford chrysler bentley royce tesla faith hope joy grace "
    "charity patience prudence summer autumn winter april may june august melody harmony destiny trinity angel "
    "heaven star sky river rose lily daisy violet heather ivy olive hazel holly jasmine rosemary basil ginger "
    "pepper candy cookie coco will mark bill grant chase drew frank art rob sue pat gene dean earl duke prince king "
    "baron bishop deacon pope major hunter archer mason carter cooper parker taylor sawyer tucker turner walker "
    "tyler skip miles chance case max rex lane forest brook cliff dale glen heath reed ray rusty sandy misty stormy "
    "rocky buddy sonny junior guy royal oracle delta echo victor romeo oscar mike juliet quebec lima papa sierra "
    "tango kilo hotel golf alpha bravo maria christmas easter sunday friday saturday monday domingo noel carol "
    "merry jolly bell ella dolly jazz blues allegro ruby opal pearl pip conda rust swift dart kotlin scala clay "
    "stone jack jenny robin martin wolf bear buck colt fox "
)
_OTHER_MEANINGS = frozenset(_OTHERS.split())


def modules_of(package: ModuleType) -> Iterator[tuple[str, Any]]:
    """Return the providers of a package of Faker, with the languages that they are for."""
    for found in pkgutil.iter_modules(package.__path__):
        yield found.name, importlib.import_module(f"{package.__name__}.{found.name}").Provider


def words_of(texts: Iterable[Any]) -> Iterator[str]:
    """Return the words of names in plain form."""
    for text in texts:
        for word in _WORD.findall(str(text)):
            form = plain(word.lower())
            if _FEWEST_LETTERS <= len(form) <= _LONGEST and _SCRIPTS.match(form):
                yield form


def names() -> tuple[dict[str, set[str]], set[str]]:
    """Return the first names with the countries that have them, and the last names."""
    first: dict[str, set[str]] = defaultdict(set)
    last: set[str] = set()
    for country, provider in modules_of(person):
        for attribute in dir(provider):
            values = getattr(provider, attribute)
            if not isinstance(values, (tuple, list, dict)):
                continue
            if attribute.startswith(("first_name", "given")):
                for word in words_of(values):
                    first[word].add(country)
            elif attribute.startswith("last_name"):
                last.update(words_of(values))
    return first, last


def words() -> set[str]:
    """Return the words of Python's library, of the languages of Faker, and the names of places."""
    counts: Counter[str] = Counter()
    for path in Path(os.__file__).parent.rglob("*.py"):
        if "site-packages" not in path.parts:
            counts.update(_LOWER.findall(path.read_text(encoding="utf-8", errors="ignore")))
    found = {word for word, count in counts.items() if count >= _FEWEST_TIMES}
    for _, provider in modules_of(lorem):
        found.update(words_of(provider.word_list))
    for _, provider in modules_of(address):
        for attribute in _PLACES:
            for place in getattr(provider, attribute, None) or ():
                parts = place if isinstance(place, (tuple, list)) else (place,)
                found.update(word for part in parts if " " not in str(part) for word in words_of([part]))
    return {word for word in found if _WITH_CAPITALS.match(word)}


def main() -> int:
    """Write the table: a line for each section and beginning of two letters."""
    first, last = names()
    other_words = words() | _OTHER_MEANINGS
    ambiguous = {
        name
        for name, countries in first.items()
        if name in _OTHER_MEANINGS or (name in other_words and len(countries) < _COUNTRIES_OF_NAMES)
    }
    sections = {
        "given": first.keys() - ambiguous,
        "ambiguous": ambiguous,
        "surname": last,
        "word": other_words - (first.keys() - ambiguous),
    }
    lines = []
    for section, members in sections.items():
        by_beginning: dict[str, list[str]] = defaultdict(list)
        for member in sorted(members):
            by_beginning[member[:2]].append(member)
        lines += [f"{section} {' '.join(some)}\n" for some in by_beginning.values()]
        sys.stdout.write(f"{section} {len(members)}\n")
    PATH.write_text("".join(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
