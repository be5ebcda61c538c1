"""ReAct-like loop with event names and key=value fields, no framework."""
import asyncio
import itertools
import json
import logging
import sys


class KV(logging.Formatter):
    def format(self, record):
        fields = getattr(record, "kv", {})
        tail = " ".join(f"{k}={v}" for k, v in fields.items())
        return f"{record.levelname.lower()} {record.getMessage()} {tail}".rstrip()


log = logging.getLogger("agent.loop")
log.setLevel(logging.DEBUG)
_h = logging.StreamHandler(sys.stdout)
_h.setFormatter(KV())
log.addHandler(_h)

call_ids = (f"call_{n:02d}" for n in itertools.count(1))


def kv(**fields):
    return {"kv": fields}


SCRIPT = [
    {"tools": [{"name": "get_stock", "args": {"sku": "A-17"}}, {"name": "get_price", "args": {"sku": "A-17"}}]},
    {"tools": [{"name": "reserve", "args": {"sku": "A-17", "n": 40}}]},
    {"tools": [{"name": "reserve", "args": {"sku": "A-17", "n": 12}}]},
    {"text": "Reserved 12 pieces at 3.20 each."},
]


class Model:
    def __init__(self, script):
        self.script = iter(script)

    async def chat(self, messages, turn):
        log.info("llm.request", extra=kv(turn=turn, messages=len(messages), model="tiny-chat"))  # @llm
        await asyncio.sleep(0.001)
        reply = next(self.script)
        log.info("llm.response", extra=kv(turn=turn, tool_calls=len(reply.get("tools", [])), finish="stop"))  # @llm_ok
        return reply


class Warehouse:
    stock = {"A-17": 12}

    async def get_stock(self, sku):
        await asyncio.sleep(0.003)
        return {"sku": sku, "pieces": self.stock[sku]}

    async def get_price(self, sku):
        await asyncio.sleep(0.001)
        return {"sku": sku, "eur": 3.2}

    async def reserve(self, sku, n):
        await asyncio.sleep(0.001)
        if n > self.stock[sku]:
            raise ValueError(f"only {self.stock[sku]} pieces")
        self.stock[sku] -= n
        return {"reserved": n}


async def run_tool(warehouse, spec, call_id):
    log.info("tool.call", extra=kv(call_id=call_id, tool=spec["name"]))  # @tool
    try:
        result = await getattr(warehouse, spec["name"])(**spec["args"])
    except ValueError as e:
        log.warning("tool.error", extra=kv(call_id=call_id, error=str(e)))  # @tool_bad
        return {"call_id": call_id, "error": str(e)}
    log.info("tool.result", extra=kv(call_id=call_id, bytes=len(json.dumps(result))))  # @tool_ok
    return {"call_id": call_id, **result}


async def conversation(question, max_turns=6):
    log.info("run.start", extra=kv(max_turns=max_turns))  # @run
    warehouse, model = Warehouse(), Model(SCRIPT)
    messages = [{"role": "user", "content": question}]
    for turn in range(1, max_turns + 1):
        log.debug("context.size", extra=kv(turn=turn, chars=sum(len(str(m)) for m in messages)))
        reply = await model.chat(messages, turn)
        if "text" in reply:
            messages.append({"role": "assistant", "content": reply["text"]})
            log.info("run.end", extra=kv(turns=turn))  # @run_ok
            return reply["text"]
        results = await asyncio.gather(*(run_tool(warehouse, s, next(call_ids)) for s in reply["tools"]))
        for r in results:
            log.debug("observation", extra=kv(call_id=r["call_id"], ok="error" not in r))
        bad = [r for r in results if "error" in r]
        if bad:
            log.info("model.sees.errors", extra=kv(count=len(bad)))
        messages += [{"role": "tool", "content": r} for r in results]
        log.debug("budget", extra=kv(turns_left=max_turns - turn, tokens_left=8000 - 400 * turn))
    log.error("run.exhausted", extra=kv(max_turns=max_turns))
    return None


async def main():
    log.info("config", extra=kv(tools="get_stock,get_price,reserve", timeout="30s"))
    text = await conversation("Reserve 40 pieces of A-17, or as many as there are")
    log.info("usage", extra=kv(prompt_tokens=1310, completion_tokens=88, cost_usd="0.0004"))
    print(text)


if __name__ == "__main__":
    asyncio.run(main())
