"""A small field table for tests: what is not named here is dropped."""

from aiproxy.codecs.features import FEATURES, SCALARS
from aiproxy.codecs.fields import Field, FieldTable, Own, Shape


def table(codec: str, *rows: Field | Shape | Own) -> FieldTable:
    named = {row.feature for row in rows if not isinstance(row, Own)}
    rest = [feature for feature in FEATURES if feature not in named]
    return FieldTable(
        codec,
        [*rows, *(Field(name, action="drop") if name in SCALARS else Shape(name, action="drop") for name in rest)],
    )
