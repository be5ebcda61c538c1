"""``obsctl completion``: scripts by which a shell completes ``obsctl`` and ``obs-run``, made from their arguments."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, NamedTuple

from obs_run.launch import command as launcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Places = dict[tuple[str, ...], list["Word"]]
    """What may stand behind a command and its subcommands."""


class Word(NamedTuple):
    """What may be completed, and what it means."""

    text: str
    meaning: str


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("shell", choices=sorted(_SHELLS), help="for which shell")
    parser.epilog = 'bash: eval "$(obsctl completion bash)" in ~/.bashrc; zsh: the same in ~/.zshrc, after compinit;'
    parser.epilog += " fish: obsctl completion fish > ~/.config/fish/completions/obsctl.fish"


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    print("\n".join(_SHELLS[args.shell](_places(args.make_parser()), _launcher_options())))
    return 0


def _places(parser: argparse.ArgumentParser) -> Places:
    places: Places = {}
    _add(places, (), parser)
    return places


def _add(places: Places, path: tuple[str, ...], parser: argparse.ArgumentParser) -> None:
    """Note what a parser takes, and what each of its subcommands does."""
    words = places[path] = []
    for action in parser._actions:  # noqa: SLF001 (argparse has no other way)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 (as above)
            meanings = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001 (as above)
            for name, of in action.choices.items():
                words.append(Word(name, meanings.get(name, "")))
                _add(places, (*path, name), of)
        elif action.option_strings:
            words.append(Word(max(action.option_strings, key=len), _plain(action.help)))
        elif action.choices:
            words.extend(Word(str(choice), _plain(action.help)) for choice in action.choices)


def _plain(text: str | None) -> str:
    return (text or "").replace("%%", "%")


def _launcher_options() -> list[Word]:
    return [Word(name, "") for name in (*launcher.OPTIONS, "--version", "--help")]


def _bash(places: Places, options: list[Word]) -> Iterator[str]:
    yield from (
        "_obsctl() {",
        '  local current="${COMP_WORDS[COMP_CWORD]}" place="" word next',
        "  local -A words=(",
        *(f"    [{shlex.quote(_key(path))}]={shlex.quote(_joined(words))}" for path, words in places.items()),
        "  )",
        '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        '    next="$place/$word"',
        '    [[ $word != -* && -n ${words[$next]+x} ]] && place="$next"',
        "  done",
        '  COMPREPLY=($(compgen -W "${words[${place:-/}]}" -- "$current"))',
        "}",
        "complete -o default -F _obsctl obsctl",
        "_obs_run() {",
        '  local current="${COMP_WORDS[COMP_CWORD]}"',
        "  if [[ $current == -* && $COMP_CWORD -eq 1 ]]; then",
        f'    COMPREPLY=($(compgen -W {shlex.quote(_joined(options))} -- "$current"))',
        "  elif [[ $COMP_CWORD -eq 1 ]]; then",
        '    COMPREPLY=($(compgen -c -- "$current"))',
        "  fi",
        "}",
        "complete -o default -F _obs_run obs-run",
    )


def _key(path: tuple[str, ...]) -> str:
    return f"/{'/'.join(path)}"


def _joined(words: list[Word]) -> str:
    return " ".join(word.text for word in words)


def _zsh(places: Places, options: list[Word]) -> Iterator[str]:
    yield from ("_obsctl() {", "  local place= word", "  local -A known", "  local -a words_here")
    yield "  known=(" + " ".join(f"{shlex.quote(_key(path))} 1" for path in places) + ")"
    yield from (
        "  for word in ${words[2,CURRENT-1]}; do",
        "    [[ $word != -* && -n ${known[$place/$word]} ]] && place=$place/$word",
        "  done",
        "  case ${place:-/} in",
    )
    for path, words in places.items():
        texts = " ".join(shlex.quote(f"{word.text}:{word.meaning.replace(':', ' -')}") for word in words)
        yield f"    {shlex.quote(_key(path))}) words_here=({texts}) ;;"
    yield from (
        "  esac",
        "  _describe -o obsctl words_here",
        "  [[ -n $place ]] && _files",
        "}",
        "compdef _obsctl obsctl",
        "_obs_run() {",
        f"  if [[ $CURRENT -eq 2 && $PREFIX == -* ]]; then compadd -- {_joined(options)}; else _normal; fi",
        "}",
        "compdef _obs_run obs-run",
    )


def _fish(places: Places, options: list[Word]) -> Iterator[str]:
    for path, words in places.items():
        here = " ; and ".join(f"__fish_seen_subcommand_from {name}" for name in path)
        below = [word.text for word in words if (*path, word.text) in places]
        if below:
            nothing_yet = f"not __fish_seen_subcommand_from {' '.join(below)}"
            here = f"{here} ; and {nothing_yet}" if here else nothing_yet
        for word in words:
            what = f"-l {word.text[2:]}" if word.text.startswith("--") else f"-a {shlex.quote(word.text)}"
            if word.text.startswith("-") and not word.text.startswith("--"):
                what = f"-s {word.text[1:]}"
            files = " -f" if not path else ""
            yield f"complete -c obsctl{files} -n {shlex.quote(here)} {what} -d {shlex.quote(word.meaning)}"
    yield from (f"complete -c obs-run -l {word.text[2:]}" for word in options)


_SHELLS: dict[str, Callable[[Places, list[Word]], Iterator[str]]] = {"bash": _bash, "fish": _fish, "zsh": _zsh}
