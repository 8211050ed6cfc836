"""Files: what a crash, a link, a full or a read-only disk does to them, and who may read them."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from aiproxy.storage.documents import CONFIGURATION, LARGEST_CREDENTIAL
from aiproxy.storage.file import FileStore
from aiproxy.storage.store import Change, Unacceptable, Unavailable

CHANGE = Change("Try it")
A = "auths/a.json"

KILLED = """
import json, os, random, signal, sys
from pathlib import Path
from aiproxy.storage.file import FileStore
from aiproxy.storage.store import Change

directory, rounds = Path(sys.argv[1]), int(sys.argv[2])
random.seed(7)
written = 0
for _ in range(rounds):
    acknowledged, tell = os.pipe()
    child = os.fork()
    if child == 0:
        store = FileStore(None, directory)
        number = written
        while True:
            for name in ("auths/a.json", "auths/b.json"):
                number += 1
                found = store.load().entries.get(name)
                body = json.dumps({"all": [number] * random.randrange(1, 3000)}).encode()
                store.save(name, body, found.version if found else None, Change("write"))
                os.write(tell, number.to_bytes(8, "big"))
    for _ in range(random.randrange(1, 12)):
        written = int.from_bytes(os.read(acknowledged, 8), "big")
    for _ in range(random.randrange(0, 60000)):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(tell)
    while data := os.read(acknowledged, 8):
        written = int.from_bytes(data, "big")
    os.close(acknowledged)
    contents = FileStore(None, directory).load()
    assert not contents.refused, contents.refused
    found = [set(json.loads(entry.body)["all"]) for entry in contents.entries.values()]
    assert all(len(numbers) == 1 for numbers in found), "a mix"
    newest = max(number for numbers in found for number in numbers)
    assert newest in (written, written + 1), (newest, written)
    written = newest
print(written)
"""


def test_a_killed_writer_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path, "40"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 40
    FileStore(None, tmp_path).save("auths/c.json", b"{}", None, CHANGE)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".aiproxy-new")] == []


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        store = FileStore(tmp_path / "aiproxy.yaml", tmp_path / "auth")
        store.save("auths/team/a.json", b"{}", None, CHANGE)
        written = store.save(CONFIGURATION, b"port: 1\n", None, CHANGE)
    finally:
        os.umask(old)
    assert mode(tmp_path / "auth") == mode(tmp_path / "auth" / "team") == 0o700
    assert mode(tmp_path / "auth" / "team" / "a.json") == mode(tmp_path / "aiproxy.yaml") == 0o600
    (tmp_path / "aiproxy.yaml").chmod(0o640)
    store.save(CONFIGURATION, b"port: 2\n", written, CHANGE)
    assert mode(tmp_path / "aiproxy.yaml") == 0o640  # a group that was let in stays in


def test_links(tmp_path: Path) -> None:
    """Kubernetes mounts files through links within the directory; a link that leads out of it is refused."""
    auth = tmp_path / "auth"
    (auth / "..data").mkdir(parents=True)
    (auth / "..data" / "a.json").write_text("{}")
    (auth / "a.json").symlink_to("..data/a.json")
    (tmp_path / "outside.json").write_text('{"secret": 1}')
    (auth / "out.json").symlink_to("../outside.json")
    (auth / "gone.json").symlink_to("nowhere.json")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.json").write_text("{}")
    (auth / "directory").symlink_to("../elsewhere")
    (auth / "inside").symlink_to("..data")
    store = FileStore(None, auth)
    contents = store.load()
    assert list(contents.entries) == [A]
    assert contents.refused == {
        "auths/out.json": f"is a symbolic link that leads out of {auth}",
        "auths/directory": f"is a symbolic link that leads out of {auth}",
        "auths/inside": "is a symbolic link to a directory: only links to files are followed",
        "auths/gone.json": "is a symbolic link to nothing",
    }
    for name in ("auths/out.json", "auths/directory/b.json"):
        with pytest.raises(Unacceptable, match="leads out of"):
            store.save(name, b"{}", None, CHANGE)
        with pytest.raises(Unacceptable, match="leads out of"):
            store.delete(name, "any", CHANGE)
    assert (tmp_path / "outside.json").read_text() == '{"secret": 1}'
    store.save(A, b'{"n": 1}', contents.entries[A].version, CHANGE)
    assert (auth / "a.json").is_symlink()
    assert (auth / "..data" / "a.json").read_text() == '{"n": 1}'


def test_what_can_not_be_taken_is_named_and_the_others_serve(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "large.json").write_bytes(b" " * (LARGEST_CREDENTIAL + 1))
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "half.json").write_text('{"token": "')
    (tmp_path / "directory.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / 'quo"te.json').write_text("{}")
    (tmp_path / "notes.txt").write_text("not ours")
    (tmp_path / ".hidden.json").write_text("not ours")
    contents = FileStore(None, tmp_path).load()
    assert list(contents.entries) == [A]
    assert contents.refused == {
        "auths/large.json": "is larger than 256 KiB",
        "auths/list.json": "is not a JSON object",
        "auths/half.json": "is not valid JSON",
        "auths/pipe.json": "is not a file",
        'auths/quo"te.json': contents.refused['auths/quo"te.json'],
    }


def test_an_edit_in_place_is_noticed_however_quick(tmp_path: Path) -> None:
    store = FileStore(None, tmp_path)
    for number in range(200):
        with open(tmp_path / "a.json", "r+" if number else "w") as file:  # the same inode, the same size
            file.write(json.dumps({"n": 100 + number}))
        assert json.loads(store.load().entries[A].body) == {"n": 100 + number}


FULL = """
import resource, sys
from pathlib import Path
from aiproxy.storage.file import FileStore
from aiproxy.storage.store import Change, Unavailable
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = FileStore(None, Path(sys.argv[1]))
saved = store.save("auths/a.json", b'{"n": 1}', None, Change("write"))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    store.save("auths/a.json", b'{"n": "' + b"x" * 5000 + b'"}', saved, Change("write"))
except Unavailable as unavailable:
    print(unavailable)
"""


def test_no_room_leaves_the_old_one(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, check=False)
    assert "can't be written: File too large" in done.stdout, done
    assert (tmp_path / "a.json").read_text() == '{"n": 1}'
    assert sorted(path.name for path in tmp_path.iterdir()) == [".aiproxy.lock", "a.json"]


READ_ONLY = """
import os, sys
from pathlib import Path
from aiproxy.storage.file import FileStore
from aiproxy.storage.store import Change, Unavailable
os.setuid(65534)
try:
    FileStore(None, Path(sys.argv[1])).save("auths/a.json", b"{}", None, Change("write"))
except Unavailable as unavailable:
    print(unavailable)
"""


def test_a_directory_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "auth").mkdir(mode=0o555)
    if os.geteuid() == 0:
        code = READ_ONLY
        for above in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
            above.chmod(0o755)
    else:
        code = READ_ONLY.replace("os.setuid(65534)", "")
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "auth"], capture_output=True, text=True, check=False)
    assert "can't be written: Permission denied" in done.stdout, done


def test_root_leaves_files_to_their_owner(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    auth = tmp_path / "auth"
    auth.mkdir()
    os.chown(auth, 65534, 65534)
    store = FileStore(None, auth)
    store.save(A, b"{}", None, CHANGE)
    assert (auth / "a.json").stat().st_uid == 65534


def test_a_place_that_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "auth").write_text("a file")
    with pytest.raises(Unavailable, match="can't be written"):
        FileStore(None, tmp_path / "auth").save(A, b"{}", None, CHANGE)
