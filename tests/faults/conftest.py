"""The one authority of the fault wall."""

from collections.abc import Iterator

import pytest
import trustme

from tests.rig.authority import one_authority


@pytest.fixture(scope="package", autouse=True)
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[trustme.CA]:
    with one_authority(tmp_path_factory.mktemp("authority")) as made:
        yield made
