"""One certificate authority for clients and gateways of a test, in place of all the world's: an upstream may speak TLS, and an SDK's
client is made in a millisecond, where it takes twenty to read the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme


@contextmanager
def one_authority(directory: Path) -> Iterator[trustme.CA]:
    """Known to what is made, or started, in the block."""
    made = trustme.CA()
    path = directory / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", str(path))
        yield made
