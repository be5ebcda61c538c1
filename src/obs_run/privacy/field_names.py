"""Which names of fields tell that the value is a secret: the one judge for dictionaries, headers and running text."""

from __future__ import annotations

import re
from typing import NamedTuple

from obs_run.privacy.services import SERVICES


class NameRule(NamedTuple):
    """What a name says of its value: the kind, and what form the value must have for that to hold.

    The forms: "any", "text" (no number), "pin" (3 to 8 digits), "code" (that, or groups with a
    digit), "token" (long and without spaces), "drawn" (random, or a text in base64), "key" (that, or
    hexadecimal), "signed" (a digit or a sign of
    passwords in it), "email" (has an @), "worded" (as names are), "digits" (has five),
    "dated" (has one), "decimal" (a fraction of three digits), "plate" and "postal" (capitals and digits), "named"
    (two words with a capital and more).
    """

    kind: str
    form: str = "any"


_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# Scripts other than ASCII: words as they stand; marks of vowels belong to them.
_OTHER_PARTS = re.compile(r"[^\W\d_][^\s\d_.\-:=\"'\[\](){}]*|[0-9]+")
_BY_LAST_WORD = {
    "password": (
        "password passwd passwort kennwort psk requirepass masterauth storepass keypass "
        "passphrase passcode pwd psw pswd userpassword userpwd dbpassword rootpassword "
        "adminpassword mypassword sudopassword pgpassword contrasena contraseña contrasenya senha wachtwoord haslo "
        "hasło parola heslo lozinka jelszo şifre sifre adgangskode kodeord lösenord losenord salasana пароль "
        "heslo jelszó jelszava kodeord kodeordet adgangskoden salasanan passord passordet lösenordet lozinka geslo "
        "parolă slaptažodis parole parool κωδικός סיסמא รหัสผ่าน "
        "密码 密碼 口令 パスワード 暗証番号 비밀번호 पासवर्ड "
        "סיסמה cvv cvc cvv2 otp totp parolam sifrem şifrem"
    ),
    "secret": "secret secrets credential credentials clientsecret appsecret",
    "api_key": "apikey apikeys accesskey secretkey authkey accountkey appkey masterkey signingkey encryptionkey",
    "private_key": "privatekey sshkey",
    "authorization": "authorization authorisation proxyauthorization",
    "cookie": "cookie cookies setcookie",
    "token": (
        "jwt bearer accesstoken authtoken refreshtoken idtoken bearertoken sessiontoken apitoken csrftoken xsrftoken "
        "personalaccesstoken securitytoken"
    ),
    "connection_string": "connectionstring connstring connstr",
}
_RULES = {word: NameRule(kind) for kind, words in _BY_LAST_WORD.items() for word in words.split()} | {
    "clave": NameRule("password", "signed"),
    "pw": NameRule("password", "signed"),
    "sig": NameRule("token", "token"),
    "crumb": NameRule("token", "key"),
}


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_KEYS = _set(
    "api access secret encryption signing master account shared service auth license ssh deploy webhook storage "
    "subscription unseal client hmac aes rsa decryption session symmetric app application consumer admin root "
    "signature openai anthropic claude gemini google azure mistral cohere groq xai deepseek openrouter together "
    "fireworks "
    "perplexity replicate huggingface hf pinecone weaviate qdrant elevenlabs deepgram assemblyai tavily serper exa "
    "stripe twilio sendgrid mailgun slack github gitlab aws gcp datadog newrelic sentry langsmith langfuse "
    "langchain wandb algolia airtable notion linear voyage jina nvidia cerebras sambanova bedrock"
)
_NO_TOKENS = _set(
    "next page paging continuation stop eos bos pad padding unk mask special sep cls start end first last per prev "
    "previous cancellation sync delta max min output input prompt completion total image audio text cached by each "
    "single one current top sampled generated predicted reasoning of the a this that any every no token"
)
_PASSES = _set(
    "db user smtp mysql redis ftp admin root pg postgres login my imap ldap proxy sudo key mail email http basic ssh "
    "sftp mongo rabbitmq amqp become vault app service svc client server host system os bind web api store keystore "
    "truststore cert p12 pfx wifi vpn router guest master default passin passout backup cache broker queue"
)
_NO_PASSES = _set(
    "first second third last next render by single one two each every multi forward backward compiler test"
)
# The name of a service and what it asks for, as one word: storagekey, sastoken.
_ENDS_OF_KEYS = {
    "key": NameRule("api_key", "key"),
    "token": NameRule("token", "token"),
    "secret": NameRule("secret", "token"),
}
_OTHER_KEYS = _set(
    "monkey donkey turkey whiskey hockey jockey hotkey passkey keykey lackey mickey flunkey latchkey dickey malarkey"
    " mitoken cryptotoken subtoken nontoken pretoken"
)
# The same of passwords: smbpass, dbpasswd.
_ENDS_OF_PASSWORDS = ("pass", "passwd", "password", "passwort")
_OTHER_PASSES = _set(
    "pass bypass compass trespass encompass surpass overpass underpass chpasswd htpasswd getpass subpass"
)
# What may follow: the value is still the secret, or something made of it.
_FOLLOWERS = _set(
    "hash value raw base encrypted plain plaintext base64 b64 confirmation confirm again repeat new old header hint "
    "env 1 2 3 01 02"
)
_COUNTERS = _set("has is num max min count n number use uses")
_CODES = _set(
    "otp mfa 2fa verification totp security login auth authentication confirmation sms recovery backup door unlock "
    "access signin entry"
)
_PASSWORD, _PRIVATE_KEY = NameRule("password"), NameRule("private_key")
_CONNECTION, _SESSION = NameRule("connection_string"), NameRule("cookie", "token")
_ENDINGS: dict[tuple[str, ...], NameRule] = {
    **dict.fromkeys(
        (
            ("mot", "de", "passe"),
            ("كلمة", "المرور"),
            ("كلمة", "السر"),
            ("mật", "khẩu"),
            ("kata", "sandi"),
            ("kata", "laluan"),
            ("palavra", "passe"),
            ("κωδικός", "πρόσβασης"),
        ),
        _PASSWORD,
    ),
    **dict.fromkeys((("client", "key", "data"), ("tls", "key"), ("ssl", "key"), ("server", "key")), _PRIVATE_KEY),
    ("pem", "key"): _PRIVATE_KEY,
    **dict.fromkeys((("gitlab", "session"), ("laravel", "session"), ("rack", "session")), _SESSION),
    **dict.fromkeys((("connection", "string"), ("conn", "string")), _CONNECTION),
    # The cookies that the frameworks of servers call a session by.
    **dict.fromkeys((("jsessionid",), ("phpsessid",), ("sessid",), ("connect", "sid")), _SESSION),
}
"""The last words of names, of which one alone does not tell."""
_LONGEST_ENDING = 3
_DRAWN = {
    "auth": NameRule("authorization", "key"),
    "key": NameRule("api_key", "drawn"),
    "keys": NameRule("api_key", "drawn"),
    "pat": NameRule("token", "drawn"),
    "code": NameRule("token", "key"),
    "private": NameRule("api_key", "key"),
    "access": NameRule("api_key", "key"),
    "signature": NameRule("token", "drawn"),
    "login": NameRule("token", "key"),
    "salt": NameRule("secret", "drawn"),
    "cred": NameRule("secret", "drawn"),
    "creds": NameRule("secret", "drawn"),
}
_OF_SERVICE = NameRule("api_key", "key")
_NO_KEYS = _set(
    "primary foreign cache cached partition sort row object public pub index idempotency 3 blob dedup dedupe group "
    "routing lookup dict map hash lock file path image item record unique natural composite candidate memo trace span "
    "event message job task state column field json xml registry i18n translation locale rsa_public order page cursor"
)
"""What has keys that are no secrets."""
_PINS = NameRule("password", "pin")
_CODE = NameRule("password", "code")


def parts(name: str) -> list[str]:
    """Return the words of ``name`` in lower case: ``X-Api-Key``, ``apiKey`` and ``api_key`` have the same."""
    return [part.lower() for part in (_PARTS if name.isascii() else _OTHER_PARTS).findall(name)]


def secret_name(name: str) -> NameRule | None:
    """Return what ``name`` tells of its value, None where it is no name of a secret."""
    words = parts(name[-80:])
    while len(words) > 1 and words[-1] in _FOLLOWERS:
        words.pop()
    if not words or (words[0] in _COUNTERS and not name.lower().lstrip().startswith("use ")):
        return None
    if ending := _of_ending(words):
        return ending
    last = words[-1]
    before = words[-2] if len(words) > 1 else ""
    known = _RULES.get(last) or (_of_key(before) if last in ("key", "keys") else _of_pair(last, before))
    # Names of other things end with the same words, so that it takes a value that looks drawn.
    if known or before in _NO_KEYS:
        return known
    if last in SERVICES or (before and last == "key"):
        return _OF_SERVICE
    return _DRAWN.get(last)


def _of_ending(words: list[str]) -> NameRule | None:
    """Return what the last words tell together."""
    endings = (_ENDINGS.get(tuple(words[-length:])) for length in range(_LONGEST_ENDING, 0, -1))
    return next(filter(None, endings), None)


def _of_key(before: str) -> NameRule | None:
    if before == "private":
        return NameRule("private_key")
    return NameRule("api_key") if before in _KEYS else None


def _of_pair(last: str, before: str) -> NameRule | None:
    if last == "token" and before not in _NO_TOKENS:
        return NameRule("token", "any" if before else "token")
    if last.endswith(_ENDS_OF_PASSWORDS) and last not in _OTHER_PASSES:
        return NameRule("password", "text")
    if last == "pass" and before not in _NO_PASSES:
        return NameRule("password", "any" if before in _PASSES else "text" if not before else "token")
    if last == "signature" and before in ("amz", "goog"):
        return NameRule("token", "token")
    if last in ("code", "codes") and before in _CODES:
        return _CODE
    return _PINS if last == "pin" else _of_glued(last)


def _of_glued(last: str) -> NameRule | None:
    """Return what a word tells that has the name of a service in it."""
    ends = [rule for end, rule in _ENDS_OF_KEYS.items() if last.endswith(end) and last != end]
    return ends[0] if ends and last not in _OTHER_KEYS else None
