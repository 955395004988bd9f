"""``lora-escape``: every command of the project under one name, with completion in shells."""

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module

from derive.command.group import Command, Group
from derive.command.messages import show
from derive.command.provenance import versions
from derive.command.signals import leave_in_one_line

_NAME = "lora-escape"
_SHELLS = ("bash", "zsh")


def commands() -> Group:
    """The commands of all packages; those of ``transfer`` keep its name in front."""
    members: dict[str, Command | Group | str] = {}
    for package in ("derive", "numerics"):
        members |= import_module(f"{package}.__main__").main.members
    return Group(
        _NAME,
        "Exact, certified and simulated: when pre-training hurts LoRA fine-tuning.",
        members | {"transfer": "transfer.__main__"},
        lambda: (
            f"{_NAME} --version\n{_NAME} --completion {{{','.join(_SHELLS)}}}: for a shell's "
            f'start-up file, as in  eval "$({_NAME} --completion bash)"'
        ),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``lora-escape`` and return its exit code."""
    leave_in_one_line(_NAME)
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        return show(versions(("sympy", "python-flint")), _NAME)
    if given[:1] == ["--completion"] and given[1:] in ([shell] for shell in _SHELLS):
        return show(completion(given[1], commands()), _NAME)
    return commands()(given or ["--help"])


def completion(shell: str, group: Group) -> str:
    """A script for ``bash`` or ``zsh`` that completes commands, options and choices of a group."""
    cases = "\n".join(_cases(group, ""))
    return f"""{"autoload -U +X bashcompinit && bashcompinit" if shell == "zsh" else ":"}
_lora_escape() {{
    local words
    case "${{COMP_WORDS[*]:1:COMP_CWORD-1}}" in
{cases}
    esac
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _lora_escape {_NAME}"""


def _cases(group: Group, before: str) -> Iterator[str]:
    """Lines of a shell's ``case``: what may follow the words that stand before."""
    for name in group.members:
        member, path = group.member(name), f"{before}{name}"
        if isinstance(member, Group):
            yield from _cases(member, f"{path} ")
            continue
        options = [action for action in member.parser()._actions if action.option_strings]
        for action in options:
            if action.choices:
                last = "|".join(f'"{path}"*" {option}"' for option in action.option_strings)
                yield f'    {last}) words="{" ".join(map(str, action.choices))}" ;;'
        known = " ".join(option for action in options for option in action.option_strings)
        yield f'    "{path}"*) words="{known}" ;;'
    yield f'    "{before.strip()}") words="{" ".join(group.members)}" ;;'


if __name__ == "__main__":
    raise SystemExit(main())
