"""Streams tokens from a generator; its reader does work of its own."""
import logging
import time

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger("streamer")


def stream(prompt):
    logger.info(f"Opening token stream for prompt of {len(prompt)} chars")  # @st
    n = 0
    try:
        for word in prompt.split():
            time.sleep(0.001)
            n += 1
            yield word
    finally:
        logger.info(f"Token stream closed after {n} tokens")  # @st_end


def moderate(token):
    logger.info(f"Moderating token {token!r}")  # @mod
    if token == "bad":
        logger.warning("Token 'bad' replaced")
        token = "***"
    logger.info(f"Moderated: {token!r}")  # @mod_ok
    return token


def collect(prompt, limit):
    logger.info(f"Generating answer (at most {limit} tokens)")  # @gen
    out = []
    tokens = stream(prompt)
    for token in tokens:
        out.append(moderate(token))
        if len(out) >= limit:
            logger.info(f"Limit of {limit} reached, closing the stream")
            tokens.close()
            break
    logger.info(f"Generated {len(out)} tokens: {' '.join(out)}")  # @gen_ok
    return out


if __name__ == "__main__":
    collect("a bad stream", 10)
    collect("one two three four", 2)
    logger.info("tokens per second: 750, finished: 2")
