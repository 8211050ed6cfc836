"""Accounts that the environment stands for when no upstream is configured: the variables that vendors' own tools read."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiproxy.config.problems import Place
from aiproxy.config.schema import Settings
from aiproxy.config.tree import Entries, Form, Items, Node, Scalar

VERTEX_SWITCH = "GOOGLE_GENAI_USE_VERTEXAI"
"""`true` or `1`: Google's SDKs take a `GOOGLE_API_KEY` for one of Vertex, not of AI Studio."""


@dataclass(frozen=True, slots=True)
class Implied:
    """An entry of a section: its keys, and the variable of each. All of `needs` must be set. `vertex` is what the switch
    must say, if it matters."""

    section: str
    variables: Mapping[str, str]
    needs: tuple[str, ...] = ("api-key",)
    vertex: bool | None = None

    def holds(self, environ: Mapping[str, str]) -> bool:
        switched = environ.get(VERTEX_SWITCH, "").lower() in ("true", "1")
        return self.vertex in (None, switched) and all(environ.get(self.variables[key]) for key in self.needs)

    def node(self, environ: Mapping[str, str]) -> Node:
        place = Place(self.variables[self.needs[0]])
        pairs = tuple(
            (Scalar(key, Form.PLAIN, Place(name)), _value(key, environ[name], Place(name)))
            for key, name in self.variables.items()
            if environ.get(name)
        )
        return Items((Entries(pairs, place),), place)


IMPLYING = (
    Implied("openai-api-key", {"api-key": "OPENAI_API_KEY", "base-url": "OPENAI_BASE_URL"}),
    Implied("claude-api-key", {"api-key": "ANTHROPIC_API_KEY", "base-url": "ANTHROPIC_BASE_URL"}),
    Implied("gemini-api-key", {"api-key": "GEMINI_API_KEY", "base-url": "GOOGLE_GEMINI_BASE_URL"}),
    Implied("gemini-api-key", {"api-key": "GOOGLE_API_KEY", "base-url": "GOOGLE_GEMINI_BASE_URL"}, vertex=False),
    Implied(
        "vertex-api-key",
        {
            "service-account": "GOOGLE_APPLICATION_CREDENTIALS",
            "location": "GOOGLE_CLOUD_LOCATION",
            "project": "GOOGLE_CLOUD_PROJECT",
            "base-url": "GOOGLE_VERTEX_BASE_URL",
        },
        # Credentials serve all of Google Cloud; nothing but Vertex has a use for this location.
        needs=("service-account", "location"),
    ),
    Implied("vertex-api-key", {"api-key": "GOOGLE_API_KEY", "base-url": "GOOGLE_VERTEX_BASE_URL"}, vertex=True),
)
"""Of a section's the first that holds."""


def with_implied(root: Node, environ: Mapping[str, str]) -> Node:
    """The tree, with an account for each vendor whose usual variables are set, if it has none at all."""
    if isinstance(root, Scalar) and root.empty:
        root = Entries((), root.place)
    if not isinstance(root, Entries):
        return root
    if any(_holds_something(root.get(section)) for section in (*Settings().key_entries, "openai-compatibility")):
        return root
    found: dict[str, Node] = {}
    for implied in IMPLYING:
        if implied.section not in found and implied.holds(environ):
            found[implied.section] = implied.node(environ)
    for section, node in found.items():
        kept = tuple(pair for pair in root.pairs if pair[0].text != section)
        root = Entries((*kept, (Scalar(section, Form.PLAIN, node.place), node)), root.place)
    return root


def _value(key: str, text: str, place: Place) -> Node:
    value = Scalar(text, Form.GIVEN, place)
    if key == "service-account":  # the variable names a file
        return Entries(((Scalar("file", Form.PLAIN, place), value),), place)
    return value


def _holds_something(node: Node | None) -> bool:
    match node:
        case Items():
            return bool(node.values)
        case Scalar():
            return not node.empty
    return node is not None
