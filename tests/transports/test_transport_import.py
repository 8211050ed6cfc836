"""What importing the transport must not do."""

import subprocess
import sys


def test_no_reactor_is_installed() -> None:
    code = "import sys, aiproxy.transports.http; sys.exit('twisted.internet.reactor' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
