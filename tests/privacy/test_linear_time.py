from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.examples import one_in

if TYPE_CHECKING:
    from tests.privacy.conftest import Choose

PIECES = (
    *("a", "@", "1", ".", '"', "'", " ", "{", "[", "(", "\\", "-", "_", "=", ":", "&", "+", "%", "<", "\n", "é", "密"),
    *("1.", "1:", "::", "1 2-", "(5", "00", "a@b.", "x.y@", "://", "://a:", "a:", '{"a":', "[[", "password=", "key:"),
    *("token ", "cookie:", 'password="', '\\"password\\":', "password is ", "bearer ", "curl -u a", "eyJ", "sk-"),
    *("sk-sk-proj-", "pcsk_aaaa", "AKIA", "DE12 ", "GB82WEST", "4111 1111 ", "+1 ", "+49 30 ", "&a=", ",a", "is "),
    *("-----BEGIN PRIVATE KEY-----", "[email]", "[password]", "password=[email]", "born 1", "lat 1.", "auth=('a', "),
    *("mysql -p", "arn:aws:secret:", "密码", "\\n"),
    *(
        "login a password ",
        "user identified by ",
        "a:5432:b:c:",
        ":5432:",
        "name=password value=",
        "value=",
        '"kty":"d":',
    ),
    *(
        " -p ",
        " -u a:",
        "redis-cli -a ",
        "your login code ",
        "otp ",
        "code 12345 ",
        "echo a | secret ",
        "chpasswd|",
        "$6$a",
    ),
    *(
        "creds: a / ",
        "xq_",
        "xq-aB3",
        "aB3",
        "geo:1.12345,",
        '("a", "b")',
        "oracle:thin:a/b",
        "a/b@",
        "key 'aB3",
        "key ",
    ),
    *(
        "--pass ",
        "pw ",
        "passphrase ",
        "seed phrase ",
        "seed phrase: abc ",
        "| sudo -S ",
        "echo a | sudo -S",
        "net user a ",
    ),
    *("Authorization: Digest a=", "xq_aB3aB3aB3aB3aB3aB3=", "a_key: ", "order no. ", "xq_aB3/", "A_KEY 'x", "creds: "),
    *(
        ":a@tcp(",
        'password").fill("',
        'label=password text="',
        "mysql -p ",
        "password a b c d: ",
        "passwordto ",
        "use password ",
    ),
    *(
        "chpasswd <<< ",
        "htpasswd -b a b ",
        "xq_a1b2=",
        "xq_a1b2=a1b2+",
        "code=aB3",
        "convertto-securestring '",
        "пароль a ",
    ),
    *(
        "<secret>a ",
        "codes: a1-b2 ",
        "a1-b2 ",
        "codes: a1-b2",
        "$P$a",
        "pbkdf2_a$",
        "aB3/aB3+",
        "key\n= ",
        "Basic YWR",
        "k a1B2=",
    ),
    *(
        'secret a="b" ',
        "password: abcd ",
        "abcd ",
        "passport no 1",
        "account number A1",
        "password:\n\n",
        "key ||\n",
        "Kb3/Kb3+Kb3Kb3Kb3Kb3Kb3Kb3",
    ),
    *(
        "Authorization: a b1 ",
        "key: a%41",
        "password to a b",
        "token=aB3aB3aB3aB3 aB3aB3aB3aB3 ",
        "openai: aB3",
        "pat.aB3aB3aB3aB3aB3aB3aB3aB",
    ),
    *("password,b\n", "password|b|c\n", "a,password\nb,c\n", "tokens=1, b\n", "password, tokens=1\n"),
    *(
        "Anna Rossi ",
        "Rossi, Anna ",
        "Anna ",
        " A1B 2C3",
        ", 12345 Ulm",
        "Ulm 1, ",
        "PID|a^b|",
        "Annas-iPad ",
        "X2<<<<<<<<",
    ),
    *("car AB12 CDE ", "客户王小明", "Анна Петровна ", "exp 08/27 4111 1111 1111 1111 ", "a0b1.c2d3."),
    *("private-lines: 1\nAA", 'variable "token" {', 'name="password"\r\n', "password%253D", "token a1", "`a b`", "$(a"),
)


# Short texts are quicker to try, and grow into what is looked through as a whole, which has a bound.
@pytest.mark.sampled
@pytest.mark.parametrize(("length", "most"), [(3_000, 40), pytest.param(12_000, 24, marks=pytest.mark.slow)])
@pytest.mark.parametrize("piece", one_in(2, PIECES))
def test_the_time_grows_with_the_length_and_no_faster(piece: str, length: int, most: int, choose: Choose) -> None:
    scrubber = choose("secrets,personal")

    def seconds(length: int) -> float:
        text = (piece * (length // len(piece) + 1))[:length]
        began = time.thread_time()
        scrubber.text(text)
        return time.thread_time() - began

    short = seconds(length)
    # Eight times the length: eight times the time, where backtracking would take 64 times or more.
    longest = max(length / 24_000, most * short)
    # On a busy machine one measurement in many is far off.
    assert any(seconds(8 * length) < longest for _ in range(3))
