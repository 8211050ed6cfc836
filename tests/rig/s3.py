"""Real S3 servers: rclone, which checks signatures and ignores conditions, and moto, which does it the other way round."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx2
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.rig.daemon import BIN

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"

_MOTO = """
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, make_server
from moto.server import DomainDispatcherApplication, create_backend_app

class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass

# One request at a time: moto compares and writes in two steps, and a real S3 does not.
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
"""


class S3Server:
    """A running server at `port`."""

    def __init__(self, port: int) -> None:
        self.port = port

    def new_bucket(self) -> str:
        """Made as any client would, signed by botocore."""
        name = f"bucket-{uuid4().hex[:12]}"
        asked = AWSRequest("PUT", f"http://127.0.0.1:{self.port}/{name}", data=b"")
        S3SigV4Auth(Credentials(KEY_ID, SECRET), "s3", "us-east-1").add_auth(asked)
        httpx2.put(asked.url, headers=dict(asked.headers)).raise_for_status()
        return name


@contextmanager
def moto() -> Iterator[S3Server]:
    environ = {**os.environ, "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    process = subprocess.Popen([sys.executable, "-c", _MOTO], stdout=subprocess.PIPE, text=True, env=environ)
    try:
        assert process.stdout is not None
        yield S3Server(int(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate()


@contextmanager
def rclone(directory: Path, *options: str) -> Iterator[S3Server]:
    serving = [str(BIN / "rclone"), "serve", "s3", str(directory), "--addr", "127.0.0.1:0", *options]
    process = subprocess.Popen([*serving, "--auth-key", f"{KEY_ID},{SECRET}"], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "127.0.0.1:" in line:
                yield S3Server(int(line.split("127.0.0.1:")[1].split("/")[0].rstrip("] \n")))
                return
        raise AssertionError("rclone did not start")
    finally:
        process.kill()
        process.communicate()
