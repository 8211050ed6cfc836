"""The lines that clients are set up with."""

import ast
import json
import shlex
import tomllib

from aiproxy.web.management.rooms.snippets import snippets


def test_a_models_name_is_one_word_of_the_lines_to_copy() -> None:
    """Upstreams name models, and people paste these lines into their shells."""
    strange = "a'; rm -rf $HOME; `x` \"\n\N{ROCKET}"
    for each in snippets("http://127.0.0.1:1", strange, needs_key=False):
        match each.kind:
            case "shell":
                words = shlex.split(each.text)
                assert [word for word in words if strange in word] == [word for word in words if "rm" in word], (
                    each.client
                )
            case "toml":
                assert tomllib.loads(each.text)["model"] == strange
            case "python":
                calls = [node for node in ast.walk(ast.parse(each.text)) if isinstance(node, ast.keyword)]
                assert strange in [node.value.value for node in calls if isinstance(node.value, ast.Constant)]
            case _:
                assert strange in json.loads(each.text).values()
