"""What a JSON answer must look like, written as an example: `{"name": str, "sizes": [int]}`.

A type stands for its values (true is no number), a tuple for any of its shapes, a list of one shape for a list with at least one such
element, a mapping for an object with at least these keys, `{...: shape}` for one with any keys and at least one; anything else for
itself."""

from collections.abc import Iterator
from typing import Any


def differences(found: Any, shape: Any, at: str = "$") -> Iterator[str]:
    """What doesn't fit, by its place."""
    match shape:
        case type():
            if not isinstance(found, shape) or (shape is not bool and isinstance(found, bool)):
                yield f"{at}: {found!r} is no {shape.__name__}"
        case tuple():
            tried = [list(differences(found, each, at)) for each in shape]
            if all(tried):
                yield tried[0][0]
        case [each]:
            if not isinstance(found, list) or not found:
                yield f"{at}: {found!r} is no list with something in it"
            else:
                for number, element in enumerate(found):
                    yield from differences(element, each, f"{at}[{number}]")
        case dict():
            if not isinstance(found, dict):
                yield f"{at}: {found!r} is no object"
            elif ... in shape:
                yield from () if found else (f"{at}: nothing is in it",)
                for key, value in found.items():
                    yield from differences(value, shape[...], f"{at}.{key}")
            else:
                for key, each in shape.items():
                    if key in found:
                        yield from differences(found[key], each, f"{at}.{key}")
                    else:
                        yield f"{at}: {key} is missing"
        case _:
            if found != shape:
                yield f"{at}: {found!r} is not {shape!r}"
