"""Nobody's home is looked into: logins there would change what is found."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield
