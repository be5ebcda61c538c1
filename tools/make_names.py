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


# How names of other alphabets are written in Latin letters: a letter, and what stands for it.
_CYRILLIC = (
    "аa бb вv гg дd еe зz иi кk лl мm нn оo пp рr сs тt уu фf ыy эe ґg єye іi їi жzh йy "
    "хkh цts чch шsh щshch ъ ь юyu яya"
)
_GREEK = "αa βv γg δd εe ζz ηi θth ιi κk λl μm νn ξx οo πp ρr σs ςs τt υy φf χch ψps ωo"
_GEORGIAN = (
    "აa ბb გg დd ეe ვv ზz თt იi კk ლl მm ნn ოo პp ჟzh რr სs ტt უu ფp ქk ღgh ყq შsh ჩch ცts ძdz წts ჭch ხkh ჯj ჰh"
)
_ARMENIAN = (
    "աa բb գg դd եe զz էe ըy թt ժzh իi լl խkh ծts կk հh ձdz ղgh ճch մm յy նn շsh ոo չch պp ջj ռr սs վv տt րr ցts ւv "
    "փp քk օo ֆf"
)
_LATIN = {ord(pair[0]): pair[1:] for pair in f"{_CYRILLIC} {_GREEK} {_GEORGIAN} {_ARMENIAN}".split()}
# Of China, Vietnam and Korea the package has few in Latin letters.
_LAST_OF_ASIA = (
    "wang zhang liu chen yang huang zhao zhou guo gao luo zheng liang xie tang song deng feng cao peng zeng xiao "
    "tian dong yuan cai jiang cheng ding ren yao shen zhong wong chan cheung leung chow chua goh koh teo ong tan "
    "lim ng nguyen tran pham hoang huynh phan dang bui duong ngo kim park lee choi jung kang cho yoon jang han "
    "seo shin kwon hwang ahn hsu hsieh tsai lai chiu yeung kwok fong loh yeo quek sim toh ho cheah khoo ooi singh "
    "kaur "
)
_FIRST_OF_ASIA = (
    "xiaoming xiuying jianguo wei ling jing fang lei jun jie juan tao ming chao ping gang hui mei hong ying hua "
    "xin yue hao zihan yifan yuting jiahao minh hanh hieu hung huong khanh linh ngoc nhung phuc phuong quan quang "
    "quoc thanh thao thuy trang trung tuan viet xuan yen bao chau dung giang hai minjun seoyeon jiwoo hyunwoo "
    "jihoon soojin eunji hyejin jisoo minseo jaehyun sungmin youngho makoto haruto yuki sakura kenji takeshi "
    "hiroshi naoki akira yoko keiko "
)
# Nor of Arabia, Africa and Wales.
_FIRST_OF_OTHERS = (
    "faisal khalid omar ahmed mohammed muhammad hassan hussein fatima aisha layla yusuf ibrahim abdullah "
    "abdulrahman saleh salman nasser majid turki bandar rania huda maha reem noura nadia samira zainab mariam "
    "amina karim tariq walid jamal anwar mustafa mahmoud chidi chidubem chinonso chiamaka chinedu chukwuemeka "
    "emeka ifeoma ngozi nkechi obinna oluwaseun olumide olufemi oluwatobi abimbola abiodun adebayo adeola ayodele "
    "babatunde bolanle folake funmilayo kehinde taiwo temitope tunde yetunde tendai tafadzwa tatenda farai nyasha "
    "kudzai kwame kofi akua kwabena abena thabo sipho lindiwe nomvula zanele wanjiku wambui njeri kamau mwangi "
    "otieno achieng akinyi llewelyn dafydd rhys gareth emyr gwilym geraint ieuan owain aneurin bronwen angharad "
    "cerys carys myfanwy nerys "
)


def modules_of(package: ModuleType) -> Iterator[tuple[str, Any]]:
    """Return the providers of a package of Faker, with the languages that they are for."""
    for found in pkgutil.iter_modules(package.__path__):
        yield found.name, importlib.import_module(f"{package.__name__}.{found.name}").Provider


def words_of(texts: Iterable[Any]) -> Iterator[str]:
    """Return the words of names in plain form."""
    for text in texts:
        for word in _WORD.findall(str(text)):
            form = plain(word.lower())
            latin = form.translate(_LATIN)
            if latin != form and _FEWEST_LETTERS < len(latin) <= _LONGEST and latin.isascii():
                yield latin
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
            if attribute.startswith(("first_name", "first_romanized", "given")):
                for word in words_of(values):
                    first[word].add(country)
            elif attribute.startswith(("last_name", "last_romanized")):
                last.update(words_of(values))
    for word in f"{_FIRST_OF_ASIA} {_FIRST_OF_OTHERS}".split():
        first[word].add("others")
    last.update(_LAST_OF_ASIA.split())
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
