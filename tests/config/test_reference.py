"""The example configurations load, the written reference is what the schema says, and every code has its example."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from aiproxy.config.load import load_config
from aiproxy.config.names import ELSEWHERE, NOT_YET, VOCABULARY, keys_of
from aiproxy.config.reference import example, inserted, main, uncommented
from aiproxy.config.schema import PLAIN_FORM, Settings
from tests.config.reading import KEY, load
from tests.vendors.google_tokens import service_account

CONFIGS = Path(__file__).parents[2] / "configs"
ENVIRON = {
    "OPENAI_API_KEY": "first-upstream-key",
    "OPENAI_API_KEY_2": "second-upstream-key",
    "OPENROUTER_API_KEY": "third-upstream-key",
    "ANTHROPIC_API_KEY": "fourth-upstream-key",
    "GEMINI_API_KEY": "fifth-upstream-key",
    "VERTEX_API_KEY": "eighth-upstream-key",
    "RESPONSES_API_KEY": "sixth-upstream-key",
    "OLLAMA_API_KEY": "seventh-upstream-key",
    "XAI_API_KEY": "ninth-upstream-key",
    "GOOGLE_CLIENT_SECRET": "a-google-client-secret",
    "TEAM_A_KEY": KEY,
    "PROXY_PASSWORD": "proxy-password",
    "NOTICES_SECRET": "a-secret-of-notices",
    "OTLP_TOKEN": "a-token-of-the-collector",
    "AIPROXY_MANAGEMENT_KEY": "a-management-key",
}


@pytest.mark.parametrize("name", ["minimal.yaml", "full.yaml"])
def test_the_examples_load_without_a_finding(name: str) -> None:
    read = load_config(str(CONFIGS / name), environ=ENVIRON)
    assert read.warnings == ()


EXAMPLES = re.findall(
    r"^```yaml\n(.*?)^```", (CONFIGS / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.partition(":")[0])
def test_what_the_reference_shows_loads_without_a_finding(text: str, tmp_path: Path) -> None:
    (tmp_path / "my-project.json").write_text(json.dumps(service_account("https://oauth2.googleapis.com/token")))
    assert load(text, ENVIRON, directory=tmp_path).warnings == ()


def test_the_full_example_shows_the_defaults() -> None:
    assert load(example(), directory=Path()).settings == Settings()


def test_the_full_example_with_every_line_in_use() -> None:
    text = uncommented((CONFIGS / "full.yaml").read_text(encoding="utf-8"))
    read = load(text, ENVIRON)
    assert read.warnings == ()
    used = {path for path, origin in read.origins.items() if origin.startswith("f.yaml")}
    assert len(used) == len(read.origins)


def test_the_written_reference_is_what_the_schema_says(tmp_path: Path) -> None:
    readme = CONFIGS / "README.md"
    again = "run `python -m aiproxy.config.reference configs`"
    assert (CONFIGS / "full.yaml").read_text(encoding="utf-8") == example(), again
    assert readme.read_text(encoding="utf-8") == inserted(readme.read_text(encoding="utf-8")), again
    (tmp_path / "README.md").write_text(readme.read_text(encoding="utf-8"), encoding="utf-8")
    main(str(tmp_path))
    assert (tmp_path / "full.yaml").read_text(encoding="utf-8") == example()


def test_the_service_names_the_limits_of_the_daemon() -> None:
    unit = (CONFIGS / "aiproxy.service").read_text(encoding="utf-8")
    assert "RestartPreventExitStatus=78" in unit
    assert "TimeoutStopSec=630" in unit


def test_no_name_is_both_known_and_not() -> None:
    for cls, names in NOT_YET.items():
        assert not names & set(keys_of(cls))
    assert not set(ELSEWHERE) & set(keys_of(Settings))
    assert set(ELSEWHERE.values()) <= VOCABULARY


def test_plain_forms_fill_a_field_that_exists() -> None:
    for cls, name in PLAIN_FORM.items():
        assert name in {field.name for field in fields(cls)}
