"""Keys and tokens of the well-known providers, which their issuers made recognisable.

Each has a run of 20 characters or more of letters, digits, ``_`` and ``-``; only such runs are looked at. The shapes
are what the providers document and what the rules of gitleaks, detect-secrets and trufflehog agree on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from obs_run.privacy import random_keys
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject


class Token(NamedTuple):
    """A shape inside of a run: what stands ``before`` and ``after`` belongs to it.

    Unless it is so plain that it may begin ``anywhere``, a word begins with it, or the ``whole`` run.
    """

    kind: str
    core: str
    anywhere: bool = False
    whole: bool = False
    before: str = ""
    after: str = ""


_W = r"[A-Za-z0-9_-]"
_A = r"[A-Za-z0-9]"
_DOTTED = r"(?:\.[A-Za-z0-9_=-]+)+"

TOKENS = (
    Token("anthropic_key", rf"sk-ant-{_W}{{20,}}", anywhere=True),
    Token("openrouter_key", rf"sk-or-(?:v[0-9]-)?{_A}{{32,}}", anywhere=True),
    Token("openai_key", rf"sk-(?:proj|svcacct|admin|None|service)-{_W}{{20,}}", anywhere=True),
    Token("langfuse_key", r"sk-lf-[0-9a-f]{8}-[0-9a-f-]{27,}", anywhere=True),
    Token("langfuse_key", r"pk-lf-[0-9a-f]{8}-[0-9a-f-]{27,}", anywhere=True),
    Token("openai_key", rf"sk-(?=[A-Za-z_-]{{0,60}}[0-9]){_W}{{20,}}"),
    Token("openai_key", rf"sess-{_A}{{40}}"),
    Token("google_key", rf"AIza{_W}{{35}}"),
    Token("google_key", rf"GOCSPX-{_W}{{28}}", anywhere=True),
    Token("google_key", rf"{_W}{{20,}}", before=r"ya29\.(?:[a-z]\.)?"),
    Token("google_key", rf"0[A-Za-z0-9]{_W}{{30,}}", before=r"1//"),
    Token("google_key", rf"0A{_W}{{30,}}", before=r"(?<![\w/.-])4/"),
    Token("aws_key", r"A(?:KIA|SIA|BIA|CCA|3T[A-Z0-9])[A-Z0-9]{16}(?![A-Za-z0-9])"),
    Token("aws_key", rf"ABSK{_A}{{16}}", after=r"[A-Za-z0-9+/]{80,}={0,2}"),
    Token("aws_key", rf"bedrock-api-key-{_A}{{20,}}", anywhere=True, after=r"[A-Za-z0-9+/=]*"),
    Token("github_token", rf"gh[pousr]_{_A}{{30,}}", anywhere=True),
    Token("github_token", r"github_pat_[A-Za-z0-9_]{36,}", anywhere=True),
    Token("gitlab_token", rf"gl(?:pat|dt|ft|rt|soat|ptt|cbt|imt|oas|agent|ffct)-{_W}{{20,}}", anywhere=True,
          after=r"(?:\.[0-9a-z]{2}[0-9a-z]{7})?"),
    Token("gitlab_token", rf"GR1348941{_W}{{20}}"),
    Token("slack_token", rf"xox[abeoprs](?:\.xox[bp])?-{_W}{{10,}}", anywhere=True),
    Token("slack_token", rf"xapp-[0-9]-{_W}{{20,}}", anywhere=True),
    Token("slack_token", rf"xox[bp]-{_W}{{20,}}", anywhere=True, before=r"xoxe\."),
    Token("stripe_key", rf"sk_(?:live|test|prod)_{_A}{{16,}}", anywhere=True),
    Token("stripe_key", rf"rk_(?:live|test|prod)_{_A}{{16,}}", anywhere=True),
    Token("stripe_key", rf"whsec_{_A}{{24,}}", anywhere=True, after=r"[A-Za-z0-9+/=]*"),
    Token("twilio_key", r"SK[0-9a-f]{32}(?![0-9A-Za-z])"),
    Token("sendgrid_key", rf"{_W}{{22}}(?!{_W})", before=r"SG\.", after=rf"\.{_W}{{39,43}}"),
    Token("mailgun_key", r"key-[0-9a-f]{32}(?![0-9A-Za-z])", whole=True),
    Token("mailchimp_key", r"[0-9a-f]{32}-us[0-9]{1,2}(?![0-9A-Za-z_-])", whole=True),
    Token("brevo_key", rf"xkeysib-[0-9a-f]{{64}}-{_A}{{16}}", anywhere=True),
    Token("huggingface_token", rf"hf_{_A}{{30,}}", anywhere=True),
    Token("huggingface_token", r"api_org_[A-Za-z]{34}", anywhere=True),
    Token("groq_key", rf"gsk_{_A}{{40,}}", anywhere=True),
    Token("xai_key", rf"xai-{_A}{{60,}}", anywhere=True),
    Token("replicate_key", rf"r8_{_A}{{30,}}", anywhere=True),
    Token("perplexity_key", rf"pplx-{_A}{{40,}}", anywhere=True),
    Token("fireworks_key", rf"fw_{_A}{{22,}}"),
    Token("cerebras_key", rf"csk-{_A}{{40,}}"),
    Token("nvidia_key", rf"nvapi-{_W}{{40,}}", anywhere=True),
    Token("tavily_key", rf"tvly-(?:dev-|prod-)?{_A}{{20,}}", anywhere=True),
    Token("firecrawl_key", r"fc-[0-9a-f]{32}(?![0-9A-Za-z])", whole=True),
    Token("pinecone_key", rf"pcsk_{_A}{{4,}}_{_A}{{30,}}", anywhere=True),
    Token("langsmith_key", rf"lsv2_(?:pt|sk)_{_A}{{32,}}(?:_{_A}{{8,}})?", anywhere=True),
    Token("langsmith_key", r"ls__[0-9a-f]{32}", anywhere=True),
    Token("e2b_key", r"e2b_[0-9a-f]{40}", anywhere=True),
    Token("elevenlabs_key", r"sk_[0-9a-f]{48}(?![0-9A-Za-z])"),
    Token("npm_token", rf"npm_{_A}{{36}}", anywhere=True),
    Token("pypi_token", rf"pypi-{_W}{{50,}}", anywhere=True),
    Token("rubygems_token", r"rubygems_[0-9a-f]{48}", anywhere=True),
    Token("docker_token", rf"dckr_(?:pat|oat)_{_W}{{20,}}", anywhere=True),
    Token("digitalocean_token", r"do[opr]_v1_[0-9a-f]{64}", anywhere=True),
    Token("databricks_token", r"dapi[0-9a-f]{32}(?:-[0-9])?(?![0-9A-Za-z])"),
    Token("telegram_token", rf"AA{_W}{{33}}(?!{_W})", before=r"[0-9]{8,10}:"),
    Token("discord_token", rf"[MNO]{_W}{{22,27}}(?!{_W})", whole=True, after=rf"\.{_W}{{6,7}}\.{_W}{{27,38}}"),
    Token("shopify_token", r"shp(?:at|ca|pa|ss|tka)_[0-9a-fA-F]{32}", anywhere=True),
    Token("square_token", rf"sq0(?:atp|csp|idp|acp)-{_W}{{22,}}", anywhere=True),
    Token("square_token", rf"EAAA{_W}{{56,}}"),
    Token("facebook_token", rf"EAA[MC]{_A}{{80,}}"),
    Token("facebook_token", rf"EAACEdEose0cBA{_A}{{20,}}"),
    Token("vault_token", rf"{_W}{{20,}}", before=r"hv[sbr]\."),
    Token("terraform_token", rf"{_W}{{50,}}", before=r"[A-Za-z0-9]{14}\.atlasv1\."),
    Token("linear_key", rf"lin_(?:api|oauth)_{_A}{{32,}}", anywhere=True),
    Token("notion_token", rf"ntn_{_A}{{40,}}", anywhere=True),
    Token("notion_token", rf"secret_{_A}{{43}}(?![0-9A-Za-z])"),
    Token("postman_key", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}", anywhere=True),
    Token("sentry_token", rf"sntry[sua]_{_A}{{20,}}", anywhere=True, after=r"[A-Za-z0-9+/=_]*"),
    Token("grafana_token", rf"gl(?:sa|c)_{_A}{{20,}}(?:_[0-9A-Fa-f]{{8}})?", anywhere=True, after=r"[A-Za-z0-9+/=]*"),
    Token("grafana_token", rf"eyJrIjoi{_A}{{40,}}", after=r"={0,2}"),
    Token("datadog_key", rf"dd(?:app|pat)_{_A}{{32,}}"),
    Token("newrelic_key", rf"NR(?:AK|II|JS|RA|BR)-{_W}{{19,}}", anywhere=True),
    Token("dynatrace_token", r"[A-Z0-9]{24}(?![A-Za-z0-9_-])", before=r"dt0[cs][0-9]{2}\.", after=r"\.[A-Z0-9]{64}"),
    Token("atlassian_token", rf"ATATT3{_W}{{40,}}", after=r"=?[0-9A-F]{0,8}"),
    Token("atlassian_token", rf"AT(?:BB|CTT3){_W}{{24,}}"),
    Token("airtable_token", r"[0-9a-f]{64}(?![0-9A-Za-z])", before=r"pat[A-Za-z0-9]{14}\."),
    Token("heroku_key", rf"HRKU-{_W}{{32,}}", anywhere=True),
    Token("fly_token", rf"fo1_{_W}{{40,}}", anywhere=True),
    Token("fly_token", rf"fm[12][ar]?_{_A}{{20,}}", anywhere=True, after=r"[A-Za-z0-9+/=,_]*"),
    Token("planetscale_token", rf"pscale_(?:tkn|oauth|pw)_{_W}{{32,}}", anywhere=True),
    Token("supabase_key", rf"sb(?:p|_secret|_publishable)_{_W}{{20,}}", anywhere=True),
    Token("pulumi_token", r"pul-[0-9a-f]{40}", whole=True),
    Token("prefect_key", rf"pn[ub]_{_A}{{36}}", anywhere=True),
    Token("doppler_token", rf"{_A}{{40,}}", before=r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?"),
    Token("dropbox_token", rf"{_W}{{60,}}", before=r"(?<![A-Za-z0-9.])sl\.(?:u\.)?"),
    Token("alibaba_key", rf"LTAI{_A}{{16,}}(?![A-Za-z0-9])"),
    Token("tencent_key", rf"AKID{_A}{{32}}(?![A-Za-z0-9])"),
    Token("yandex_key", rf"AQVN{_W}{{35,}}"),
    Token("azure_secret", rf"{_W}{{31,34}}(?![A-Za-z0-9_~.-])", before=r"(?<![A-Za-z0-9])[A-Za-z0-9_~.-]{3}[0-9]Q~"),
    Token("openshift_token", rf"{_W}{{43}}(?!{_W})", before=r"sha256~"),
    Token("artifactory_key", rf"AKCp{_A}{{69}}"),
    Token("artifactory_key", rf"cmVmd{_A}{{59}}"),
    Token("readme_key", r"rdme_[a-z0-9]{70}", anywhere=True),
    Token("sonar_token", r"sq[uap]_[0-9a-f]{40}", anywhere=True),
    Token("sourcegraph_token", r"sgp_(?:[0-9a-zA-Z]{5,16}_)?[0-9a-f]{40}", anywhere=True),
    Token("flutterwave_key", r"FLWSECK(?:_TEST)?-[0-9a-zA-Z]{12,}(?:-X)?", anywhere=True),
    Token("razorpay_key", rf"rzp_(?:live|test)_{_A}{{14}}", anywhere=True),
    Token("age_key", r"AGE-SECRET-KEY-1[A-Z0-9]{58}", anywhere=True),
    Token("onepassword_token", rf"ops_eyJ{_A}{{100,}}", anywhere=True, after=r"[A-Za-z0-9+/=]*"),
    Token("jwt", rf"ZXlK{_W}{{40,}}", after=r"={0,2}"),
    Token("stripe_key", rf"pi_{_A}{{14,}}_secret_{_A}{{16,}}"),
    Token("stripe_key", rf"seti_{_A}{{14,}}_secret_{_A}{{16,}}"),
    Token("tailscale_key", rf"tskey-[a-z]+-{_W}{{8,}}", anywhere=True),
    Token("klaviyo_key", rf"pk_(?:{_A}{{6}}_)?[0-9a-f]{{34}}(?![0-9A-Za-z])"),
    Token("zoho_token", r"[0-9a-f]{32}(?![0-9A-Za-z])", before=r"1000\.", after=r"\.[0-9a-f]{32}"),
    Token("salesforce_key", rf"3MVG9{_W}{{20,}}", after=r"[A-Za-z0-9._+/=-]*"),
    Token("brave_key", rf"BSA{_W}{{26,30}}(?!{_W})"),
    Token("easypost_key", rf"EZ(?:A|T)K{_A}{{54}}(?!{_A})"),
    Token("clickhouse_key", rf"4b1d{_A}{{38}}(?!{_A})"),
    Token("maxmind_key", rf"{_A}{{6}}_{_A}{{29}}_mmk(?!{_A})"),
    Token("cookie", rf"eyJpdiI6{_A}{{40,}}", after=r"[A-Za-z0-9+/%]*={0,2}"),
    Token("jwt", rf"eyJ{_W}{{8,}}", anywhere=True, after=rf"{_DOTTED}\.?"),
)  # fmt: skip

KINDS = frozenset(token.kind for token in TOKENS) | random_keys.KINDS

_TOKEN_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_CLASSES = bytes(97 if one in _TOKEN_CHARACTERS else 32 for one in range(256))
_RUN = re.compile(b"a" * 20 + b"a*")
_TELLING = re.compile(rb"[0-9]|[a-z][A-Z]|[A-Z]{2}[a-z]")
# No word is as long.
_LETTERS = re.compile(rb"[_-](?:[a-z]{32}|[A-Z]{32})")
# Digests, trace ids and UUIDs: no token is of these letters alone, but for the one that begins with fc-.
_PLAIN_HEX = re.compile(rb"(?!fc-)[0-9a-f-]+")
_LONGEST_BEFORE = 64
_MOST_FAILURES = 100
# All that may stand before ends with one of these; hardly any other run follows one.
_LEADS = frozenset(b".:~/")


def _any(tokens: list[tuple[int, Token]]) -> re.Pattern[bytes]:
    """Return one pattern for the cores of ``tokens``, whose group ``t<n>`` says which it was.

    It begins with a choice of letters and nothing else: the search then goes by these letters.
    """
    by_letter: dict[str, list[str]] = {}
    for index, token in tokens:
        by_letter.setdefault(token.core[0], []).append(f"(?P<t{index}>{token.core[1:]})")
    return re.compile("|".join(f"{letter}(?:{'|'.join(group)})" for letter, group in by_letter.items()).encode())


class _Neighbours(NamedTuple):
    kind: str
    before: re.Pattern[bytes] | None
    core: re.Pattern[bytes]
    after: re.Pattern[bytes]


_ANYWHERE = _any([(i, token) for i, token in enumerate(TOKENS) if not token.before and token.core[0] != "["])
_GROUPS = {f"t{i}": (token, re.compile(token.after.encode())) for i, token in enumerate(TOKENS)}
_WITH_NEIGHBOURS = tuple(
    _Neighbours(
        token.kind,
        re.compile(f"(?:{token.before})$".encode()) if token.before else None,
        re.compile(token.core.encode()),
        re.compile(token.after.encode()),
    )
    for token in TOKENS
    if token.before or token.core[0] == "["
)
_LED = tuple(one for one in _WITH_NEIGHBOURS if one.before)
_FOLLOWED = tuple(one for one in _WITH_NEIGHBOURS if not one.before)


def find(subject: Subject) -> Iterator[Match]:
    """Find the tokens of providers."""
    raw = subject.raw
    for run in _RUN.finditer(raw.translate(_CLASSES)):
        start, end = run.span()
        if not _TELLING.search(raw, start, end) and not _LETTERS.search(raw, start, end):
            continue  # letters and signs, of one case: an identifier
        led = start > 0 and raw[start - 1] in _LEADS
        is_hex = _PLAIN_HEX.fullmatch(raw, start, end) is not None
        if is_hex and not led:
            if subject.places:
                yield from random_keys.find_hex(subject, start, end)
            continue
        known = [*_inside(raw, start, end), *_beside(raw, start, end, led=led)]
        if known:
            yield from known
        elif not is_hex and random_keys.may_be_key(raw, start, end):
            yield from random_keys.find_in_run(subject, start, end)


def _inside(raw: bytes, start: int, end: int) -> Iterator[Match]:
    at, failures = start, 0
    while match := _ANYWHERE.search(raw, at, end):
        token, after = _GROUPS[match.lastgroup or ""]
        first, last = match.span()
        rest = after.match(raw, last)
        if rest and (token.anywhere or first == start or not (token.whole or raw[first - 1 : first].isalnum())):
            # What is joined to a token may be the rest of a longer one, unless another begins in it.
            longer = end if last < end and not _ANYWHERE.search(raw, last, end) else last
            yield Match(first, max(rest.end(), longer), token.kind)
            at = last
            continue
        at = first + 1
        failures += 1
        if failures > _MOST_FAILURES:  # made to keep us busy: not looked at any further, so it must not go out
            yield Match(at, end, "token")
            return


def _beside(raw: bytes, start: int, end: int, *, led: bool) -> Iterator[Match]:
    """Find what is known by what stands before or after the run."""
    lead = raw[max(0, start - _LONGEST_BEFORE) : start] if led else b""
    for kind, before, core, after in _LED if led else _FOLLOWED:
        ahead = before.search(lead) if before else None
        if before and not ahead:
            continue
        match = core.match(raw, start, end)
        rest = after.match(raw, match.end()) if match else None
        if rest:
            first = start - (len(lead) - ahead.start()) if ahead else start
            yield Match(first, rest.end(), kind)
