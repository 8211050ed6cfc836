"""What vendors say of others' use of their logins is told where people look before they log in."""

import re
from pathlib import Path

from aiproxy.credentials.logins import LOGINS

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_readme_says_of_every_login_what_its_vendor_does() -> None:
    told = README.partition("## Whose terms apply")[2]
    rows = re.findall(r"^\| (`.*`) \| (.*) \|$", told, re.MULTILINE)
    words = {name: said for names, said in rows for name in re.findall(r"`([^`]+)`", names)}
    assert words.keys() == {login.provider for login in LOGINS}
    for login in LOGINS:
        assert (words[login.provider] == "Nothing known against it.") == (not login.closed)
        assert (
            set(re.findall(r"20\d\d", login.closed)) == set(re.findall(r"20\d\d", words[login.provider]))
            or not login.closed
        )
