"""A directory as an operator may have it: configurations good and broken, logins, states, foreign files."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from aiproxy.storage.state.sqlite import SqliteDatabase

GOOD = """\
api-keys: [{name: team, key: a-key-that-is-long-enough, models: [gpt-*]}]
openai-api-key: [{api-key: some-upstream-key, base-url: http://127.0.0.1:9/v1, models: [gpt-5.4]}]
auth-dir: auth
state: state.db
"""

CLAUDE = {"type": "claude", "access_token": "a", "refresh_token": "r", "expired": "2020-01-01T00:00:00Z"}

TEXTS: Mapping[str, str | bytes] = {
    "aiproxy.yaml": GOOD,
    "other.yaml": GOOD.replace("gpt-5.4", "gpt-5.5").replace("state.db", "memory"),
    "syntax.yaml": "api-keys: [a\n",
    "unset.yaml": 'openai-api-key: ["${NO_SUCH_VARIABLE}"]\n',
    "wrong.yaml": "prot: 1\ntls: {enable: yes}\n",
    "list.yaml": "- a\n",
    "empty.yaml": "",
    "bytes.yaml": b"\xff\xfe\x00",
    "tag.yaml": "host: !!python/none x\n",
    "prompts.yaml": "system-prompt: {file: auth}\n",
    "text-state.yaml": "state: empty.yaml\nauth-dir: wrong.yaml\n",
    "foreign-state.yaml": "state: foreign.db\n",
    "damaged-state.yaml": "state: damaged.db\n",
    "deep-state.yaml": "state: aiproxy.yaml/state.db\nlogging: {file: aiproxy.yaml/x.log}\n",
    "postgres.yaml": "store: {type: postgres, local-path: mirror, postgres: {dsn: 'postgresql://nobody@127.0.0.1:9/none'}}\n",
    "git.yaml": "store: {type: git, local-path: mirror, git: {url: ./no-such-repository}}\n",
    "s3.yaml": "store: {type: s3, local-path: mirror, s3: {endpoint: 'http://127.0.0.1:9', bucket: abc, access-key: a, secret-key: b}}\n",
    "damaged.db": b"SQLite format 3\0" + bytes(range(256)) * 20,
    "config.json": '{"Providers": 5, "PORT": "x", "SERVER_PORT": [], "model_list": {}}',
    "body.json": '{"model": "gpt-5.4", "messages": [{"role": "user", "content": "hi"}]}',
    "junk.json": '{"model": 5, "messages": [[], {"role": {}}], "input": 1, "contents": [3]}',
    "prompts.jsonl": '{"request": {"protocol": 5}}\n{"request": []}\n',
    "auth/claude-me@example.org.json": json.dumps(CLAUDE),
    "auth/junk.json": "[1]",
    "auth/typeless.json": "{}",
    "auth/odd.json": '{"type": "codex", "access_token": 5, "expired": {}, "disabled": "x"}',
}  # fmt: skip


def place(directory: Path) -> None:
    for name, content in TEXTS.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with closing(sqlite3.connect(directory / "foreign.db")) as foreign:
        foreign.execute("CREATE TABLE t (a)")
    with closing(SqliteDatabase(directory / "state.db")) as state:
        state.open()
    (directory / "loop.yaml").symlink_to("loop.yaml")
