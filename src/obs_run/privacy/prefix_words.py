"""What the words of a prefix say of what follows: that it is an id, or that it is a key."""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What stands before the ids, digests and names of things that are no secrets, of providers' answers not least.
IDS = _set(
    "id ids uuid guid ulid chatcmpl cmpl compl call fc msg message run thread req request resp response file asst "
    "step toolu tooluse srvtoolu tool fp evt event cus pi pm ch cs ci in sub sube price prod product plan seti "
    "acct ba src item rs ws ig mcp mcpl mcpr fs cu conv conversation batch vs gen embd job ftjob session user usr "
    "member org team proj project trace span order doc document chunk node agent task part upload container cntr "
    "cfile artifact page sha sha1 sha256 sha384 sha512 md5 crc crc32 blake2b hash digest etag sum checksum "
    "fingerprint commit rev revision git ref tree blob layer img image cache build version ver release tag branch "
    "lock i vpc subnet sg eni ami vol snap rtb igw nat acl tgw eipalloc lt instance pod rsrc arn log logs metric "
    "bundle main index app vendor runtime polyfills style css js wasm static asset assets media video audio photo "
    "pic thumb avatar font tmp temp cursor offset seq row object obj partition idempotency primary foreign sort "
    "public pub pubkey idx uid pid gid tid sid cid tx txn block address addr account customer invoice payment "
    "charge refund subscription transaction cluster machine host server worker queue topic channel room group "
    "workspace folder dir path entry record question answer prompt completion choice candidate citation source "
    "search result results embedding vector memory dataset data table column view form field widget component "
    "comment post note notes ticket issue pull merge deploy deployment pipeline stage workflow wf execution exec "
    "flow rule policy role region zone x86 x64 lc lib llvm gcc python pip whl cpython test tests case fixture "
    "example sample model pvc pv ckpt checkpoint epoch nonce salt iv boundary webkitformboundary multipart ga lsn gtid "
    "cookieconsent utm gclid fbclid srv svc db env cfg ctx pkg btn"
)
SECRET_WORDS = _set(
    "key secret token pat sk rk ak apikey api live auth pw pass pwd password access private bearer cred admin svc "
    "service priv pri prv"
)
# Where a service runs is said in the names of its keys, hardly in ids.
ENVIRONMENTS = _set("prod live dev staging stage test sandbox production eu us")
# A key for these is no secret.
HARMLESS_KEYS = _set("cache idempotency primary foreign partition sort row object public index idx pub")
