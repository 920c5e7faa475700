"""The judges of answers that the rules leave open, by name. To add one, write a back end and an entry here.

>>> {entry.written for entry in JUDGES} >= {"transformers:NAME", "openai:MODEL@URL"}
True
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class JudgeEntry:
    """A judge that a user names as `name`, or `name:argument`.

    Args:
        name: unique.
        load: `module:function` that gives the back end, called with the argument where it takes one.
        about: one line for lists.
        takes: what the argument is; "" where it takes none.
        aliases: other names of it.
    """

    name: str
    load: str
    about: str
    takes: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def written(self) -> str:
        """How it is named on the command line."""
        return f"{self.name}:{self.takes}" if self.takes else self.name


JUDGES = (
    JudgeEntry(
        "transformers",
        "t2vid.scoring.backends:TransformersJudge.load",
        "a language model in this process: a folder, a GGUF file or a name on the Hub",
        takes="NAME",
    ),
    JudgeEntry(
        "openai",
        "t2vid.scoring.backends:OpenAIJudge.load",
        "a model behind an OpenAI-compatible API, whose URL ends in /v1",
        takes="MODEL@URL",
    ),
)
