"""Each writer is held to the types of its vendor's official SDK, and a wrong one is found out."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from tests.vendors.scenarios import SCENARIOS, Answer
from tests.vendors.stand_in import VENDORS
from tests.vendors.validation import ANSWERS, check
from tests.vendors.vendor import Vendor


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_what_is_written_has_the_types_of_the_sdk(vendor: Vendor, answer: Answer) -> None:
    check(vendor, answer)


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_what_is_not_an_answer_is_found_out(vendor: Vendor) -> None:
    plain = SCENARIOS["plain"].first
    assert isinstance(plain, Answer)
    for wrong in (b"[]", b'{"choices": 7, "content": 7, "candidates": 7, "message": 7, "output": 7}'):
        with pytest.raises(ValidationError):
            check(replace(vendor, whole=lambda *_, wrong=wrong: wrong), plain)
