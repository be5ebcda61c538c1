"""Keys that their issuers made recognisable, drawn anew each: found whatever stands around them."""

from __future__ import annotations

import random
import string
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.privacy.conftest import Choose

ALNUM = string.ascii_letters + string.digits
WORD = ALNUM + "_-"
HEX = "0123456789abcdef"
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
BASE64 = ALNUM + "+/"

# What stands before, how many of which letters follow, and so on.
SHAPES: list[list[str | tuple[int, str]]] = [
    ["jina_", (60, WORD)], ["llx-", (48, ALNUM)], ["rpa_", (40, UPPER)], ["bb_live_", (27, WORD)],
    ["m0-", (40, ALNUM)], ["apify_api_", (36, ALNUM)], ["re_", (8, ALNUM), "_", (24, ALNUM)], ["phx_", (43, ALNUM)],
    ["crsr_", (64, HEX)], ["rh-api-", (8, HEX), "-", (4, HEX), "-", (4, HEX), "-", (4, HEX), "-", (12, HEX)],
    ["private_", (27, ALNUM), "="], ["sec-c-", (36, LOWER)], ["tgp_v1_", (43, WORD)],
    ["KEY", (32, "0123456789ABCDEF"), "_", (22, ALNUM)], ["API-", (26, UPPER)],
    ["A3-", (6, UPPER), "-", (11, UPPER), "-", (5, UPPER), "-", (5, UPPER), "-", (5, UPPER)],
    ["pk_", (8, "0123456789"), "_", (32, UPPER)], ["ck_", (40, HEX)], ["api_", (22, ALNUM), ".", (22, ALNUM)],
    ["APA91b", (134, WORD)], ["figd_", (40, WORD)], ["CFPAT-", (43, WORD)], ["tfp_", (44, WORD)],
    ["CCIPAT_", (22, ALNUM), "_", (40, HEX)], ["bkua_", (40, LOWER)], ["shippo_live_", (40, HEX)],
    ["cfut_", (40, ALNUM), (8, HEX)], ["da2-", (26, LOWER)], ["nfp_", (36, ALNUM)],
    ["pat-na1-", (8, HEX), "-", (4, HEX), "-", (4, HEX), "-", (4, HEX), "-", (12, HEX)],
    ["vercel_blob_rw_", (16, ALNUM), "_", (30, ALNUM)],
    ["access-production-", (8, HEX), "-", (4, HEX), "-", (4, HEX), "-", (4, HEX), "-", (12, HEX)],
    ["2/", (16, "123456789"), "/", (16, "123456789"), ":", (32, HEX)], ["v1.0-", (24, HEX), "-", (146, HEX)],
    ["amzn.mws.", (8, HEX), "-", (4, HEX), "-", (4, HEX), "-", (4, HEX), "-", (12, HEX)],
    ["VF.DM.", (24, HEX), ".", (16, ALNUM)], ["hawk.", (20, WORD), ".", (20, WORD)],
    ["pat.", (22, ALNUM), ".", (24, ALNUM), ".", (20, ALNUM)], [(15, "123456789"), "|", (32, WORD)],
    ["00D", (12, ALNUM), "!", (96, ALNUM)], ["t1.", (22, WORD), ".", (86, WORD)], ["oauth:", (30, LOWER)],
    ["mfa.", (84, WORD)], ["bce-v3/ALTAK-", (21, ALNUM), "/", (40, HEX)], [(36, HEX), "NRAL"],
    [(76, LOWER), "AZDO", (4, LOWER)], [(52, ALNUM), "JQQJ99", (26, ALNUM)],
    ["xprv", (107, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789")],
    ["5J", (49, "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789")], ["pa-", (43, WORD)],
    ["as-", (22, ALNUM)], ["oy2", (43, LOWER)], ["cio", (32, ALNUM)], ["glpat-", (27, WORD), ".01.", (9, LOWER)],
    ["dt0c01.", (24, UPPER), ".", (64, UPPER)], ["SK", (32, "0123456789abcdefABCDEF")], ["glc_", (60, BASE64)],
    ["spu-", (32, HEX)], ["thog-secret-", (32, HEX)],
]  # fmt: skip
AROUND = ("the service said no to {} today", '["a", "{}", 3]', "x={}\n", "<li>{}</li>", "worker[12]: {}")


def name(shape: list[str | tuple[int, str]]) -> str:
    """Return the fixed parts."""
    return "*".join(part for part in shape if isinstance(part, str))


@pytest.mark.parametrize("shape", SHAPES, ids=name)
def test_a_key_of_a_known_shape_is_taken_out_as_a_whole(shape: list[str | tuple[int, str]], choose: Choose) -> None:
    scrubber = choose("secrets")
    source = random.Random(name(shape))
    found = 0
    for number in range(20):
        parts = [p if isinstance(p, str) else "".join(source.choice(p[1]) for _ in range(p[0])) for p in shape]
        key, around = "".join(parts), AROUND[number % len(AROUND)]
        scrubbed = scrubber.text(around.format(key))
        found += key[len(key) // 2 :][:12] not in scrubbed and key[-12:] not in scrubbed
    assert found >= 18, scrubbed
