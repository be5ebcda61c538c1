"""Notations that give a value a name in their own way; of each kind some that no list has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.privacy.conftest import Choose

PLANTED = "Tiger-22x"

FOUND = [
    "machine a.example login b password {}",
    "machine a.example\n\tlogin b\n\tpassword {}\nmachine c.example",
    "*:5433:*:svc:{}",
    "CREATE USER b IDENTIFIED BY '{}' DEFAULT TABLESPACE x",
    "ALTER USER b IDENTIFIED WITH caching_sha2_password BY '{}';",
    "SET PASSWORD FOR b = PASSWORD('{}')",
    '<add value="{}" key="DbPassword" />',
    "<parameter name='apiSecret' value='{}'/>",
    "- name: DB_PASSWORD\n  value: {}\n",
    '{{"key": "client.secret", "value": "{}"}}',
    'env: [{{name = "API_TOKEN", value = "{}"}}]',
    'variable "db_password" {{\n  type = string\n  default = "{}"\n}}',
    "redis-cli -h x -a {} ping",
    "docker login -u b -p {} r.example",
    "mongosh --host x -u b -p {}",
    "ldapwhoami -D cn=b -w {}",
    "smbclient //n/s -U b%{}",
    "lftp -u b,{} f.example",
    "http -a b:{} https://a.example",
    "curl --user b:{} https://a.example",
    "keytool -list -storepass {}",
    "openssl pkcs12 -passin pass:{} -in x",
    "echo b:{} | chpasswd",
    "echo {} | gh secret set X",
    "xfreerdp /u:b \\\\host /p:{}",
    "creds: b / {}",
    "credentials: b / {}",
    "sign-in of user=b pass={} from there",
    "openssl rsa -passin pass:{} -in x",
    "gpg --batch --passphrase {} -d x",
    "tool --pass {} go",
    "echo '{}' | sudo -S true",
    "printf {} | kinit b",
    "user b / pw {}",
    "PW={}",
    'setx CLIENT_SECRET "{}"',
    "chpasswd <<< 'b:{}'",
    'auth = ("b", "{}")',
    "--script-args user=b,ftppass={}",
    "hydra -l b -p {} ssh://h.example",
    '<string name="db_password">{}</string>',
    "<key>password</key>\n<string>{}</string>",
    'form.password.value = "{}"',
    'Step 3: enter "{}" in the password field',
    "Typed '{}' into the password box",
    "tool -username b -password {}",
    "ssh-keygen -t ed25519 -N '{}' -f k",
    "mysql -p{} shop",
    "driver.find_element(By.ID, 'password').send_keys('{}')",
    "page.locator('input[type=password]').fill('{}')",
    'act(selector="input[type=password]", text="{}")',
    '<input type="password" value="{}">',
    '{{"action": "type", "label": "Password", "text": "{}"}}',
    "b:{}@tcp(db.example:3306)/x",
    'Use password "{}" for it',
    "the new password will be {} from Monday",
    "lösenordet är {}",
    "htpasswd -bc /etc/x b {}",
    '$password = ConvertTo-SecureString "{}" -AsPlainText -Force',
    "New-Object PSCredential('b', (ConvertTo-SecureString '{}' -AsPlainText -Force))",
    "tell it my password, which is {}.",
    "Das Passwort heißt {}",
    "the password for the box: {}",
    "hasło do skrzynki: {}",
    "пароль от сервера {}",
    'new NetworkCredential("b", "{}")',
    'requests.get(u, auth=HTTPBasicAuth("b", "{}"))',
    'client.set_password("{}")',
    "sqlplus b/{}@//db.example/x",
    "jdbc:oracle:thin:b/{}@db.example:1521:x",
    "next=https%253A%252F%252Fa.example%252F%253Fpassword%253D{}",
    'form-data; name="user_password"\r\n\r\n{}\r\n--',
    "The password {} is only for today",
    "Das Kennwort {} gilt bis Freitag",
    "La password del server è {}.",
    "パスワードは{}です",
    "<credential><secret>a {} b</secret></credential>",
    '<wsse:Password Type="PasswordText">{}</wsse:Password>',
    "service token - '{}'",
    'if request.password != "{}" {{',
    'DB_PASSWORD\n        = "{}";',
    'process.env.DB_PASSWORD ||\n  "{}"',
    'std::string Password{{"{}"}}',
    "define('DB_PASSWORD',            '{}');",
    "buildConfigField 'String', 'API_TOKEN' , '\"{}\"'",
    "use the following password to go on:\n\n{}\n",
    "password:\n  - {}",
    "The root password:\n```\n{}\n```",
    "MAILER_PASS={}2x",
    "AzureStorageKey: x; storagepassword={}",
    "openssl enc -aes-256-cbc -k {} -in a",
    'app.get("x"); b_secret: {}',
    "user,password,role\nb,{},admin",
    "| user | password |\n|---|---|\n| b | {} |",
    "name\tapi_secret\nb\t{0}2xyz\nc\t{0}",
    '["tool", "--password", "{}", "-v"]',
    "<servers><passphrase>{}</passphrase></servers>",
    "A senha do banco é {}, por favor",
    "creds for staging: admin / {}",
    '<Pass encoding="base64">{}</Pass>',
    "changed the password from hunter to {} yesterday",
    "snmpwalk -v3 -u b -A {} h.example",
    "snmpget -v3 -u b -A a -X {} h.example",
]


@pytest.mark.parametrize("text", FOUND)
def test_the_value_is_taken_out(text: str, choose: Choose) -> None:
    scrubbed = choose("secrets").text(text.format(PLANTED))
    assert PLANTED not in scrubbed
    assert "[" in scrubbed


def test_an_authorization_of_several_parts_goes_as_a_whole(choose: Choose) -> None:
    scrubber = choose("secrets")
    for scheme, parts in (
        ("Digest", 'username="b", realm="x", nonce="n", response="4de71728f982f6daec9a4301cc8d1a65"'),
        ("AWS4-HMAC-SHA256", "Credential=b/20261101/x/s3/aws4_request, SignedHeaders=host, Signature=fe5f80f77d5fa3be"),
        ("OAuth", 'oauth_consumer_key="b", oauth_signature="aBc%2B"'),
    ):
        scrubbed = scrubber.text(f"Authorization: {scheme} {parts}\nHost: a.example")
        assert scrubbed == f"Authorization: {scheme} [authorization]\nHost: a.example"


def test_the_words_a_wallet_is_made_anew_from(choose: Choose) -> None:
    scrubber = choose("secrets")
    words = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    for lead in ("seed phrase: ", "my recovery phrase is ", 'mnemonic="'):
        assert scrubber.text(f"{lead}{words}") == f"{lead}[password]"
    text = "a seed phrase has twelve words"
    assert scrubber.text(text) is text


@pytest.mark.parametrize(
    "text",
    [
        "your login code is 197954",
        "197954 is your sign-in code",
        "G-197954 is your verification code",
        "Votre code de connexion 2FA : 197954",
        "Enter OTP 197954 within 5 minutes",
        "backup code: a7f3k-9q2mx",
        "recovery codes: a7f3k-9q2mx",
        "the cvv is 123",
        "Dein Bestätigungscode lautet 016199",
    ],
)
def test_codes_to_sign_in(text: str, choose: Choose) -> None:
    assert "[password]" in choose("secrets").text(text)


JWK = '{"kty":"RSA","n":"AQAB-modulus","e":"AQAB","d":"a1B2c3D4e5F6g7H8i9J0","p":"k1L2m3N4o5P6q7R8s9T0"}'


def test_the_private_members_of_a_key_in_json(choose: Choose) -> None:
    scrubber = choose("secrets")
    for text in (JWK, f"here it is: {JWK} as asked", f'{{"keys": [{JWK}]}}'):
        scrubbed = scrubber.text(text)
        assert "AQAB-modulus" in scrubbed
        assert "a1B2c3" not in scrubbed
        assert "k1L2m3" not in scrubbed
    public = '{"kty":"RSA","n":"AQAB-modulus-that-is-long","e":"AQAB","kid":"2026-11"}'
    assert scrubber.text(public) is public


@pytest.mark.parametrize(
    "text",
    [
        "The cookies are baked and cooled",
        "Cookies: 200 g butter, 150 g sugar",
        "we use cookies to improve the site",
        'export OPENAI_API_KEY="$(pass show openai)"',
        "export TOKEN=`cat /run/secrets/token`",
        'PASSWORD="${DB_PASSWORD:-}"',
        "AWS_SECRET_ACCESS_KEY: !Ref SecretKey",
        "OPENAI_API_KEY=sk-...",
        "self.secret_key = secret_key",
        "token = page.next_token",
        '("password", "passwd", "token", "apikey")',
        '<a accesskey="n" href="next.html">',
        "client_secret: Required[str]",
        "if len(password) == 0:",
        "token_type=bearer expires_in=3600",
        "oauth2: cannot fetch token: 400 Bad Request",
        "password SHA256 hash, PBKDF2 and argon2id",
        "パスワードは8文字以上にしてください",
        "status code: 50012 after login",
        "the row is identified by 'name'",
        "docker run -p 8080:80 web; mkdir -p /tmp/x; ps -u root",
        "app.py:1200:foo:bar:baz",
        "the pass: 12 of 14, the next pass is due",
        "12 pw of power, npw files",
        "pw = page.width",
        "a -secret- meeting, and -password- twice",
        "bypass=on compass=north",
        'typed "hello" into the password box',
        '<label name="password">Password</label>',
        "form.password.value = form.password_again.value",
        "mysql -uroot -p shop",
        "7z a -p out.7z",
        "head -n 20 x; echo -n y",
        '{"label": "Password", "text": "Forgot it?"}',
        "use_password = True",
        "if password != confirm_password:",
        "password:\n  min_length: 8\ntoken:\n  type: string",
        "secret:\n    name: my-secret-2",
        "el token es válido por 24 horas",
        "--api-key KEY   the key to use",
        "secret=changeme_placeholder",
        "Password: must have more than four",
        "Authorization: granted by the 2nd court of appeal in 1999",
        "login: octocat",
        "private: true",
        "access: public",
        "openai: gpt-4o-mini-2024-07-18",
        "huggingface: sentence-transformers/all-MiniLM-L6-v2",
        "stripe: cus_NffrFeUfNV2Hib",
        "first_pass=12345678",
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "volume pvc-70be68a6-5e2b-4e23-8e36-058e26eef28d bound",
        "https://user:<passwort>@host/path",
        "salt: 3 g, pepper: 1 g",
        "f(\n    valid_token,\n    budget_of_2,\n    repository_endpoint,\n)",
        "x(\n    ec.EllipticCurvePrivateKey,\n    x25519.X25519PublicKey2,\n)",
        'code = "NoSuchTagSet"',
        "amqp://guest:guest@localhost:5672/",
        'const API_KEY_HEADER = "x-api-key"',
        "password: !vault-encrypted-variable",
        "api_key=sk-...abcd",
        "name,password,age\nthe, words, of a text",
        "curl -k https://a.example/x",
        "visual basic programming-in-2026-for-all",
        "a monkey: 0123456789abcdef0123456789abcdef",
        "--password (read from stdin)",
        "chpasswd <<< $LIST",
        "hasło do skrzynki zostało zmienione",
        "the password for the user in version v2.3",
        "tool --pass-through all --pinned yes --pin=$PIN",
        "cat words.txt | sudo tee /etc/words",
        "org/pkg@1.2.3 and repo/app@sha256:0123",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str, choose: Choose) -> None:
    scrubber = choose("secrets")
    assert scrubber.text(text) is text


@pytest.mark.parametrize(
    "text",
    [
        "duration_ns=4929222222222",
        "took 5312372813728131 ns",
        "0 1 1 2 3 5 8 13 21 34 55 89 144 233",
        "call fib(10) -> 0 1 1 2 3 5 8 13 21 34 55",
        "the number is 1 1 2 3 5 8 13 21 34",
        "order 070-9867727-5320123",
        "Invoice no. 020 7946 0958",
    ],
)
def test_figures_are_no_personal_data(text: str, choose: Choose) -> None:
    scrubber = choose("secrets,personal")
    assert scrubber.text(text) is text


def test_a_shell_that_says_it_itself(choose: Choose) -> None:
    assert "hunter-22" not in choose("secrets").text('export TOKEN="$(echo hunter-22)"')


@pytest.mark.parametrize(
    "text",
    [
        "JSESSIONID={}",
        "PHPSESSID={}; path=/",
        "connect.sid=s%3A{}",
        "laravel_session=eyJpdiI6{}{}",
        "https://app.example.com/cb?code=4/0A{}&state=x",
        '{{"code": "{}", "state": "x"}}',
    ],
)
def test_what_a_browser_carries(text: str, choose: Choose) -> None:
    value = "8B5x3E964C2oAAEF7g7DB9FzDA83D8E5"
    assert value not in choose("secrets").text(text.format(value, value))


DRAWN = "q7Zk2mVb9TnW4xYc8RfJ"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: SSWS {}",
        '{{"headers": {{"Authorization": "GenieKey {}"}}}}',
        "openweather: {}",
        '{{"tavily": "{}"}}',
        "fbApiKey:            '{}',",
        "azurestorageaccountkey: {}",
        "SASTOKEN={}",
        "API token:\n```\n{}\n```",
        "-Dsonar.login={}",
        "ACME_PRIVATE={}",
        "Expires=1790000000&Signature={}%2B{}%3D",
        "Key-Pair: hey, use this key for the weather thing: {}",
        "mattermost '{}' is what I have",
        "_gitlab_session={}",
        "pip install git+https://{}:x-oauth-basic@github.com/a/b.git",
    ],
)
def test_what_is_drawn_under_a_name(text: str, choose: Choose) -> None:
    assert DRAWN not in choose("secrets").text(text.format(DRAWN, DRAWN))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("app password: q7Zk 2mVb 9TnW 4xYc 8RfJ kP3s", "app password: "),
        ("2FA secret: MFRG GZDF MZTW Q2LK", "2FA secret: "),
        ("Enter this key in Google Authenticator: MFRG GZDF MZTW Q2LK", "Enter this key in Google Authenticator: "),
        ("recovery codes: a7f3k-9q2mx b8g4l-0r3ny", "recovery codes: "),
        ("recovery codes:\na7f3k-9q2mx\nb8g4l-0r3ny", "recovery codes:\n"),
    ],
)
def test_what_is_written_in_groups_to_be_typed(text: str, left: str, choose: Choose) -> None:
    scrubbed = choose("secrets").text(text)
    assert scrubbed in (f"{left}[password]", f"{left}[secret]", f"{left}[api_key]")


def test_what_was_found_once_is_found_wherever_it_stands(choose: Choose) -> None:
    scrubber = choose("secrets")
    assert DRAWN not in scrubber.text(f"token={DRAWN} was sent\nthe server said: no {DRAWN}, and {DRAWN}!")
    word = "password=development; the development server"
    assert scrubber.text(word) == "password=[password]; the development server"


@pytest.mark.parametrize(
    "hashed",
    [
        "$apr1$LRWCZlhG$j6Yiub0u1ix4q5u8DMunV2",
        "$8$TnGX/fE4KGHOVU$pEhnEvxrvaynpi8j4f.EMHr6M.FzU8xnZnBr/tJdFWk",
        "$P$B7f3kq9XmZt2Lr8Vd5Wc1Yn4Hs6Jg0",
        "pbkdf2_sha256$600000$aB3dE5fG7hI9$kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hI3jK5lM7=",
        "scrypt:32768:8:1$aB3dE5fG7hI9$0123456789abcdef0123456789abcdef",
        "$krb5asrep$23$u@d.example:3e156ada591263b8aab0965f5aebd837$" + "0123456789abcdef" * 4,
    ],
)
def test_hashes_of_passwords(hashed: str, choose: Choose) -> None:
    assert hashed[-16:] not in choose("secrets").text(f"root {hashed} 19700")


def test_a_user_and_a_password_in_base64_without_a_header(choose: Choose) -> None:
    scrubber = choose("secrets")
    assert scrubber.text("sent: Basic YWRtaW46V2ludGVyMjAyNiE=, got 401") == "sent: Basic [authorization], got 401"


def test_a_key_in_base64_near_a_telling_word(choose: Choose) -> None:
    scrubber = choose("secrets")
    key = "q7Zk2mVb9TnW/4xYc8RfJkP3s+L6dHwX1vNt5Bg0/CyQeUi8OaMzKjFhSrTpGl2+Eo4WdVxAnIuPbYc7RkJm9s=="
    assert key[-20:] not in scrubber.text(f'config("fs.azure.account.key.x.example", "{key}")')
    for plain in (f"sha512-{key}", f"integrity {key}", f"https://a.example/{key[:40]}"):
        assert scrubber.text(plain) is plain


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example/magic/login?code={}",
        "curl -b 'auth={}' https://a.example/",
        'client = Weather("{}")  # api key',
        "SENTRY_DSN=https://{}:x@o12.ingest.example/34",
        "hey, use this key for the weather thing: {}",
        "Unseal Key 2: {}",
        "token spu-{} was sent",
    ],
)
def test_hexadecimal_digits_that_are_no_digest(text: str, choose: Choose) -> None:
    digits = "921c4439496a70d079f432c7c3d9212e"
    assert digits not in choose("secrets").text(text.format(digits))


def test_the_salts_of_a_web_site(choose: Choose) -> None:
    salt = "k@cHIZKfPbqPV);BZhYI5,vccTlVq|aoMZOrl|;ulFf5yd(=_0[MLcG71U.FF ~9"
    for name in ("AUTH_KEY", "LOGGED_IN_KEY", "NONCE_KEY"):
        assert choose("secrets").text(f"define('{name}',     '{salt}');") in (
            f"define('{name}',     '[api_key]');",
            f"define('{name}',     '[secret]');",
        )


@pytest.mark.parametrize(
    "text",
    [
        "rotate_secret_key: api_key.yaml:2",
        "config/api_secret.key:2:1",
        "see deploy_key.yaml:2",
        "token: keys/x_key.py:12",
    ],
)
def test_the_number_of_a_line_in_a_file_is_no_secret(text: str, choose: Choose) -> None:
    assert choose("secrets").text(text) == text
