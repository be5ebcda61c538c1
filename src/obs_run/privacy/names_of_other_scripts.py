"""Names of people in scripts other than Latin: by the words before and behind them, their endings, and lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import name_tables
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_KIND = "person_name"
_PATRONYMIC = "(?:[оеэ]вич|ич|[оеи]вна|ична|[іїй]вна)(?:у|а|ем|ом|е|ы|ой|и|ю|ові|і)?"
_CYRILLIC = "[А-ЯЁІЇЄҐ][а-яёіїєґ'\u2019]+(?:-[А-ЯЁІЇЄҐ][а-яёіїєґ'\u2019]+)?"
# Surnames that are hardly ever the beginning of another word.
_HAN = (
    "王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱郭何罗羅郑鄭梁谢謝宋唐许許邓鄧韩韓冯馮曹彭曾萧蕭潘袁董余苏蘇叶葉吕呂魏蒋蔣丁沈任姚卢盧傅"
    "钟鍾姜崔谭譚廖范汪陆陸贾賈韦韋邱侯邹鄒熊孟秦尹薛阎段雷龙龍陶贺賀龚龔樊兰殷洪翁颜顏倪严嚴牛温季俞章鲁葛伍毕聂焦柳邢岳齐梅庄"
    "辛祝左涂祁耿牟卜骆裴柴蒙鲍华喻祖费纪甘柯阮欧褚娄冼麦"
)
_HAN_OF_TWO = "欧阳|歐陽|司马|司馬|上官|诸葛|諸葛|东方|皇甫|尉迟|公孙|慕容|令狐|长孙|宇文|司徒|夏侯|端木|南宫|西门|独孤"
_NO_HAN = "说說在的是要问問来來已于將将和与與先女您你从從把被给給对對就也会會很想能可让讓表提不没沒有上下今明昨打反"
_HAN_NAME = f"(?:(?:{_HAN_OF_TWO})|[{_HAN}])[一-龥](?:(?![{_NO_HAN}])[一-龥])?"
_HAN_ROLES = (
    "客户|客戶|顾客|顧客|租客|租户|房东|房東|患者|病人|联系人|聯絡人|收件人|寄件人|收货人|收貨人|同事|老师|老師|经理|經理|学生|學生|家长|家長"
    "|员工|員工|业主|業主|通知|联系|告诉|告訴|转告|轉告|律师|律師|医生|醫生|护士|護士|司机|司機|乘客|旅客|嫌疑人|被告|原告|证人|申请人|申請人"
    "|负责人|負責人|经办人|投保人|受益人|签收人|邻居|朋友|室友|会员|會員"
)
_HANGUL = (
    "[김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민"
    "진지엄채원천방공현함변염여추도소석선설마길]"
)


# A letter that all of a script's texts have, and what one of must be there.
_HINTS_OF_OTHERS = {
    "о": ("зов", "зва", "важаем", "ФИО", "амилия", "ациент", "оспод", "имя"),
    "名": ("名前", "氏名", "姓名", "名字"),
    "我": ("我叫",),
    "様": ("様",),
    "先": ("先生",),
    "女": ("女士",),
    "이": ("이름",),
    "성": ("성함", "성명"),
    "ا": ("اسم", "نام"),
    "م": ("نام",),
    "ช": ("ชื่อ",),
    "ש": ("שמי", "שם", "קוראים"),
    "न": ("नाम",),
    "ε": ("λένε", "νομα"),
}
_OF_OTHERS = re.compile(
    r"(?:(?:[Мм]еня|[Мм]ене) зо?в\w{1,4}|[Пп][іi]дпис|[Уу]важаем\w{2}|ФИО|[Фф]амилия(?:,? имя)?|[Пп]ациент\w{0,2}"
    r"|[Гг]осподин\w?"
    r"|[Гг]оспож\w|на имя|[Мм]оё имя)"
    r"\s?:?\s((?:[А-ЯЁІЇЄҐ][а-яёіїєґ'’-]+|[А-Я]\.)(?: ?(?:[А-ЯЁІЇЄҐ][а-яёіїєґ'’-]+|[А-Я]\.)){0,2})"
    r"|(?:(?:お?名前|氏名|姓名|名字)[はが是]?[:： ]{0,2}|我叫|我的名字[是叫])"
    r"([一-龠々]{2,4}(?: ?[一-龠]{1,4})?)(?=です|と申|と言|[はがを、，。,.\s]"
    r"|$|[^一-龠])"
    r"|([一-龠々]{2,4})(?=様[、,。\s]|先生[，,：:]|女士[，,：:])"
    r"|(?:이름은|이름|성함은?|성명)[:： ]{0,2}([가-힣]{2,4}?)(?=입니다|이에요|이고|[ ,.\n]|$)"
    r"|(?:اسمي|الاسم|اسم المريض|الاسم الكامل)[: ]{1,2}([\u0621-\u064a]{2,12}(?: [\u0621-\u064a]{2,12}){0,2})"
    r"|(?:نام من|نام و نام خانوادگی|نام)[: ]{1,2}([\u0621-\u06cc]{2,12}(?: [\u0621-\u06cc]{2,12}){0,2})"
    r"|(?:ชื่อ(?:-นามสกุล|ของฉันคือ)?)[: ]{1,2}([\u0e00-\u0e7f]{2,24}(?: [\u0e00-\u0e7f]{2,24})?)"
    r"|(?:שמי|שם(?: מלא)?:|קוראים לי) ?([\u05d0-\u05ea]{2,12} [\u05d0-\u05ea]{2,12})"
    r"|(?:मेरा नाम|नाम:) ?((?!है)[\u0900-\u097f]{2,16} (?!है)[\u0900-\u097f]{2,16})"
    r"|(?:[Μμ]ε λένε|[Οο]νομάζομαι|[Οο]νοματεπώνυμο:) ?([Α-ΩΆ-Ώ][α-ωά-ώ]+(?: [Α-ΩΆ-Ώ][α-ωά-ώ]+){0,2})"
)


def find(text: str) -> Iterator[Match]:
    """Find the names that other scripts have a word before, or behind."""
    signs = [sign for sign in _HINTS_OF_OTHERS if sign in text]
    if any(_has_any(text, _HINTS_OF_OTHERS[sign]) for sign in signs):
        for name in _OF_OTHERS.finditer(text):
            yield Match(*name.span(name.lastindex or 0), _KIND)
    for pattern in _patterns(text):
        yield from (Match(*name.span(1), _KIND) for name in pattern.finditer(text))
    for letter, pairs in _PAIRS:
        if letter in text:
            yield from _in_lists(text, pairs)


def _has_any(text: str, words: Iterable[str]) -> bool:
    return any(word in text for word in words)


def _patterns(text: str) -> list[re.Pattern[str]]:
    """Return what to look for in a text, by the letters of its scripts; Chinese is what has none of them."""
    scripts = [entries for letters, entries in _SCRIPTS if _has_any(text, letters)]
    if not scripts:
        return list(_OF_HAN)
    return [pattern for entries in scripts for hints, pattern in entries if _has_any(text, hints)]


def _in_lists(text: str, pairs: re.Pattern[str]) -> Iterator[Match]:
    """Find two words of which the lists have the first as a first name, and the other as a name."""
    for pair in pairs.finditer(text):
        if pair[1] in _TITLES or "given" not in name_tables.kinds_of(pair[1]):
            continue
        if pair[3] or name_tables.kinds_of(pair[2]) & _NAMES:
            yield Match(pair.start(1), pair.end(2), _KIND)


_NAMES = frozenset({"given", "surname"})
_TITLES = frozenset({"श्रीमती", "श्रीमान", "सुश्री", "कुमारी"})


def _two_words(letters: str, behind: str = "") -> re.Pattern[str]:
    word = f"{letters[:-1]}]{{3,16}}"
    return re.compile(rf"(?<!{letters})(?=({word}) ({word})(?!{letters})({behind}))")


# A letter that all texts of a script have; two words, and what stands behind a name only.
_PAIRS = (
    ("ा", _two_words("[\u0900-\u097f]", "(?: (?:को|ने|का|की|के|जी)(?![\u0900-\u097f]))?")),
    ("ا", _two_words("[\u0621-\u064a]")),
    ("ה", _two_words("[\u05d0-\u05ea]")),
)


# Titles before names or behind them, roles, and the ends of surnames, by letters of which a text of the script has one.
_SCRIPTS = (
    (
        "이가의다",
        (
            (("님", "씨"), re.compile("(?<![가-힣])([가-힣]{2,5})(?: 고객님|고객님| 씨| 님)(?=[께이은을의가과, .]|$)")),
            (
                ("고객", "환자", "담당자", "수취인", "예약자", "신청자", "보호자", "직원", "학생", "입주자", "세입자"),
                re.compile(
                    "(?:고객|환자|담당자|수취인|예약자|신청자|보호자|직원|학생|입주자|세입자)[ :]{1,2}"
                    f"({_HANGUL}[가-힣]{{2}})"
                    "(?=[은는이가의을를께님,.\\s]|$)"
                ),
            ),
        ),
    ),
    (
        "のはを様",
        (
            (("さん",), re.compile("(?<![一-龠々])([一-龠々]{3,5}[^社者員店屋師署局\\W])さん(?=[がはをにのとへ、。])")),
            (
                ("様",),
                re.compile(
                    "(?:^|[のはがをにへと、。「（(：:\\s])"
                    "(?!お客|皆|奥|王|神|仏|同|仕|模|何|有|異|多|各|貴|関係|担当|会員|利用|両親)"
                    "([一-龠々]{1,4}[ \u3000]?[一-龠々ぁ-んァ-ヶー]{1,5}?)様(?![々式子])"
                ),
            ),
        ),
    ),
    (
        "оаи",
        (
            (
                ("ов", "ев", "ин", "ск", "цк", "енко", "чук"),
                re.compile(
                    "(?<![\\w.-])(?<!улица )(?<!город )(?<!ул. )"
                    "([А-ЯЁ][а-яё]{2,14}(?<!ая)(?<!ый) [А-ЯЁ][а-яё]{1,16}"
                    "(?:[ое]ва?|ина?|[сц]к(?:ий|ая|ого|ой|ому)|енко|чук))(?![\\w-])"
                ),
            ),
            # By the father's name, and by two initials behind the last name.
            (
                ("вич", "вна", "ична", "ич"),
                re.compile(
                    f"(?<![\\w.-])((?:{_CYRILLIC} ){{1,2}}[А-ЯІЇЄ][а-яіїє'\u2019]+{_PATRONYMIC}"
                    f"(?: {_CYRILLIC})?)(?![\\w-])"
                ),
            ),
            ((". ",), re.compile(f"(?<![\\w.-])({_CYRILLIC} [А-ЯІЇЄ]\\. ?[А-ЯІЇЄ]\\.)")),
        ),
    ),
    (
        "αο",
        (
            (
                ("κυρί", "κύρι"),
                re.compile("(?:κυρίας?|κυρίου?|κύριο[ςυ]?) ([Α-ΩΆ-Ώ][α-ωά-ώ]+(?: [Α-ΩΆ-Ώ][α-ωά-ώ]+){0,2})"),
            ),
            (("κ.",), re.compile("(?<!\\w)κ\\. ?([Α-ΩΆ-Ώ][α-ωά-ώ]+(?: [Α-ΩΆ-Ώ][α-ωά-ώ]+){0,2})")),
        ),
    ),
    (
        "اي",
        (
            (
                (
                    *("السيد", "الأستاذ", "الدكتور", "المري", "العميل"),
                    *("الموظف", "الطالب", "المستأجر", "المدعو", "المهندس"),
                ),
                re.compile(
                    "(?:السيدة?|الأستاذة?|الدكتورة?|المريضة?|العميلة?"
                    "|الموظفة?|الطالبة?|المستأجرة?|المدعوة?|المهندسة?):? "
                    "((?:عبد |أبو |أم )?[\u0621-\u064a]{2,12} (?:بن |آل |أبو )?[\u0621-\u064a]{2,12})"
                ),
            ),
        ),
    ),
    (
        "היו",
        (
            (
                ("מדבר", "גברת", "הגב", "מר ", 'ד"ר', "בשם", "לקוח", "מטופל", "דייר"),
                re.compile(
                    "(?<![\u05d0-\u05ea])(?:מדברת?|גברת|הגב'|מר|ד\"ר|בשם|הלקוחה?"
                    "|לקוחה?|המטופלת?|מטופלת?|הדיירת?|דיירת?):? "
                    "([\u05d0-\u05ea]{2,12} [\u05d0-\u05ea]{2,12})"
                ),
            ),
        ),
    ),
    (
        "ाके",
        (
            (
                ("श्री", "कुमारी", "डॉ"),
                re.compile(
                    "(?:श्रीमती|श्रीमान|श्री|सुश्री|कुमारी|डॉ\\.?|डॉक्टर) "
                    "([\u0900-\u097f]{2,16}(?: (?!का|की|के|को|ने|से|है|जी)[\u0900-\u097f]{3,16})?)"
                ),
            ),
            (
                ("कृपया", "ग्राहक", "मरीज", "रोगी", "छात्र", "किरायेदार", "आवेदक"),
                re.compile(
                    "(?:कृपया|ग्राहक|मरीज़|मरीज|रोगी|छात्रा?|किरायेदार|आवेदक) "
                    "([\u0900-\u097f]{3,16} [\u0900-\u097f]{3,16}) (?:को|ने|का|की|के|से)(?![\u0900-\u097f])"
                ),
            ),
        ),
    ),
    (
        "านก",
        (
            (
                ("นาย", "นาง", "คุณ"),
                re.compile("(?<![\u0e00-\u0e7f])(?:นาย|นางสาว|นาง|คุณ) ?([\u0e01-\u0e5b]{2,24} [\u0e01-\u0e5b]{2,24})"),
            ),
        ),
    ),
)
_OF_HAN = (
    re.compile(f"({_HAN_NAME})(?:先生|女士|小姐|师傅|老师|医生|同学|主任|教授|经理|律师)"),
    re.compile(f"(?:{_HAN_ROLES})[：: ]?({_HAN_NAME})"),
)
