"""The scenario set of transformers' pipelines, on a model of a few hundred weights that the test makes."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario

MODEL = "tiny/gpt2"
PROMPT = "Where to ?"
TALK = [{"role": "user", "content": PROMPT}]
WORDS = ("<pad>", "<end>", "<unk>", "Where", "to", "?", "Lisbon", "Porto", "is", "nice", "user", "assistant", ":")
TEMPLATE = "{% for each in messages %}{{ each['role'] }} : {{ each['content'] }} {% endfor %}"


def _tokenizer(transformers: Any) -> Any:
    tokenizers = import_module("tokenizers")
    words = {word: number for number, word in enumerate(WORDS)}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="<end>", unk_token="<unk>", padding_side="left"
    )
    fast.chat_template = TEMPLATE
    return fast


@cache
def pipelines() -> tuple[Any, Any]:
    """Return a pipeline that writes, and one that gives features."""
    transformers = import_module("transformers")
    import_module("torch").manual_seed(0)
    tokenizer = _tokenizer(transformers)
    small: dict[str, Any] = {"vocab_size": len(WORDS), "n_positions": 64, "n_embd": 8, "n_layer": 1, "n_head": 1}
    config = transformers.GPT2Config(**small, bos_token_id=1, eos_token_id=1, pad_token_id=0, name_or_path=MODEL)
    writer = transformers.pipeline(
        "text-generation", model=transformers.GPT2LMHeadModel(config).eval(), tokenizer=tokenizer, device="cpu"
    )
    reader = transformers.pipeline(
        "feature-extraction", model=transformers.GPT2Model(config).eval(), tokenizer=tokenizer, device="cpu"
    )
    return writer, reader


class Transformers(Driver):
    """Two pipelines over a tiny model."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.writer, self.reader = pipelines()

    def written(self, asked: Any, **more: Any) -> Any:
        return self.writer(asked, **{"max_new_tokens": 4, "do_sample": False, **more})


def attributes(operation: str = "text_completion", **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "transformers",
        "gen_ai.request.model": MODEL,
        "gen_ai.usage.input_tokens": 3,
    }
    if operation != "embeddings":
        told |= {
            "gen_ai.request.max_tokens": 4,
            "gen_ai.response.finish_reasons": ("length",),
            "gen_ai.usage.output_tokens": 4,
        }
    told |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in told.items() if value is not None}


def answered(its: Any, asked: Any) -> dict[str, Any]:
    made = its.written(asked)[0]["generated_text"]
    text = made[-1]["content"] if isinstance(made, list) else made.removeprefix(PROMPT)
    said = {"role": "assistant", "parts": [{"type": "text", "content": text}], "finish_reason": "length"}
    question = {"role": "user", "parts": [{"type": "text", "content": PROMPT}]}
    return {"gen_ai.input.messages": [question], "gen_ai.output.messages": [said]}


def _ending(its: Any) -> Any:
    """Have the model stop after its first token, by calling that one the end."""
    known = its.writer.model.generation_config.eos_token_id
    its.writer.model.generation_config.eos_token_id = list(range(len(WORDS)))
    try:
        return its.written(PROMPT)
    finally:
        its.writer.model.generation_config.eos_token_id = known


_WRITE = f"text_completion {MODEL}"
_TWO: dict[str, Any] = {"gen_ai__response__finish_reasons": ("length", "length"), "gen_ai__usage__output_tokens": 8}

LIBRARY = Library(
    name="transformers",
    instrumentor="obs_instrumentors.transformers",
    environments={
        "4.48, oldest": ("transformers==4.48.0", "torch>=2.15,<3", "numpy<3"),
        "5.23, newest": ("transformers>=5.23,<6", "torch>=2.15,<3", "numpy<3"),
    },
    driver=Transformers,
    kinds=("sync",),
    heavy=True,
    python="3.11",
    variables={"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
    scenarios=(
        Scenario(
            "chat",
            lambda its: its.written(TALK),
            f"chat {MODEL}",
            attributes("chat", gen_ai__usage__input_tokens=5),
            lambda its: answered(its, TALK),
        ),
        Scenario(
            "completion", lambda its: its.written(PROMPT), _WRITE, attributes(), lambda its: answered(its, PROMPT)
        ),
        Scenario(
            "completion of two, padded",
            lambda its: its.written([PROMPT, "Porto"], batch_size=2),
            _WRITE,
            attributes(**_TWO, gen_ai__usage__input_tokens=4, obs__request__input_count=2),
        ),
        Scenario(
            "two answers",
            lambda its: its.written(PROMPT, num_return_sequences=2, num_beams=2),
            _WRITE,
            attributes(**_TWO, gen_ai__request__choice__count=2),
        ),
        Scenario(
            "completion up to its end",
            _ending,
            _WRITE,
            attributes(gen_ai__response__finish_reasons=("stop",), gen_ai__usage__output_tokens=1),
        ),
        # What the model counts is not known where the agent's own loop runs it.
        Scenario(
            "stream",
            lambda its: its.read(its.written(each for each in [PROMPT, "Porto"])),
            _WRITE,
            attributes(
                gen_ai__request__stream=True,
                gen_ai__usage__input_tokens=None,
                gen_ai__usage__output_tokens=None,
                gen_ai__response__finish_reasons=None,
            ),
        ),
        Scenario(
            "error",
            lambda its: its.written(PROMPT, max_new_tokens=-1),
            _WRITE,
            attributes(
                gen_ai__request__max_tokens=-1,
                gen_ai__usage__output_tokens=None,
                gen_ai__response__finish_reasons=None,
                error__type="ValueError",
            ),
            error="ValueError",
        ),
        Scenario(
            "embeddings",
            lambda its: its.reader(PROMPT),
            f"embeddings {MODEL}",
            attributes("embeddings", gen_ai__embeddings__dimension__count=8, obs__request__input_count=1),
        ),
    ),
)
