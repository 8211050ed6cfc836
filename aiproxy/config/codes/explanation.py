"""What is said of a code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code means and what to do about it, YAML that has the problem, and the same mended.

    Comments at the start of an example say what is needed besides: variables, options, files."""

    words: str
    example: str
    mended: str
