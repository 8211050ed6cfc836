"""What each target takes of JSON Schema. The conversion itself is in `schema`.

Sources: OpenAI's structured outputs guide, Anthropic's SDK schema transformer, Google's `Schema` and `JsonSchema` references."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

SchemaTarget: TypeAlias = Literal[
    "openai", "openai-strict", "anthropic-tool", "anthropic-format", "gemini-json", "gemini"
]

_STRUCTURE = {"type", "description", "title", "enum", "const", "properties", "required", "items", "anyOf", "default"}

_LIMITS = {"minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems"}

_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
"""What OpenAI and Anthropic enforce of `format`."""

_PROTO_FORMATS = frozenset({"date-time", "enum", "int32", "int64", "float", "double"})
"""What Google's `Schema` takes of `format`; another one is a 400."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The defaults take everything. A keyword that isn't taken is told in the description."""

    keywords: frozenset[str] | None = None
    """Those that are taken; None: all."""
    formats: frozenset[str] | None = None
    """Values of `format` that are taken; None: all."""
    min_items: int | None = None
    """The largest `minItems` that is taken."""
    converts: bool = True
    """False: only the root is looked at."""
    const: bool = True
    """False: `const` becomes an `enum` of one."""
    one_of: bool = True
    """False: `oneOf` becomes `anyOf`."""
    all_of: bool = True
    """False: the parts of `allOf` become one schema."""
    closed: bool = False
    """Objects must forbid what they don't name."""
    all_required: bool = False
    """Objects must require all they name; what was optional may be null instead."""
    known_required: bool = False
    """`required` may only name what `properties` has."""
    lone_refs: bool = False
    """A `$ref` may have no neighbours."""
    inline: bool = False
    """There are no references."""
    inclusive_bounds: bool = False
    """Exclusive bounds become inclusive ones."""
    scalar_enums: bool = False
    """An `enum` holds strings and numbers, of the schema's own type."""
    flat_root: bool = False
    """The root may be no union."""
    any_root: bool = False
    """The root of an output format may be any type; a tool's is always an object."""
    omits_empty: bool = False
    """A tool that takes nothing has no schema."""
    proto: bool = False
    """Google's `Schema`: upper-case types, one each, `nullable`, enums of strings."""


RULES: Mapping[SchemaTarget, Rules] = {
    "openai": Rules(converts=False),
    "openai-strict": Rules(
        keywords=frozenset({*_STRUCTURE, *_LIMITS, "multipleOf", "format", "additionalProperties", "$defs", "$ref"}),
        formats=_FORMATS,
        const=False,
        one_of=False,
        all_of=False,
        closed=True,
        all_required=True,
        lone_refs=True,
    ),
    "anthropic-tool": Rules(flat_root=True),
    "anthropic-format": Rules(
        keywords=frozenset({*_STRUCTURE, "format", "minItems", "additionalProperties", "$defs", "$ref"}),
        formats=_FORMATS,
        one_of=False,
        all_of=False,
        closed=True,
        min_items=1,
        any_root=True,
    ),
    "gemini-json": Rules(
        keywords=frozenset(
            {*_STRUCTURE, *_LIMITS, "format", "additionalProperties", "$defs", "$ref", "$anchor", "prefixItems"}
            | {"uniqueItems", "propertyOrdering"}
        )
        - {"default"},
        const=False,
        one_of=False,
        all_of=False,
        known_required=True,
        inclusive_bounds=True,
        scalar_enums=True,
        any_root=True,
        omits_empty=True,
    ),
    "gemini": Rules(
        keywords=frozenset(
            {
                *_STRUCTURE,
                *_LIMITS,
                "format",
                "nullable",
                "minProperties",
                "maxProperties",
                "propertyOrdering",
                "example",
            }
        ),
        formats=_PROTO_FORMATS,
        const=False,
        one_of=False,
        all_of=False,
        known_required=True,
        inline=True,
        inclusive_bounds=True,
        proto=True,
        omits_empty=True,
    ),
}
