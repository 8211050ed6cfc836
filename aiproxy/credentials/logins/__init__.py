"""The logins we know, one declaration a provider; each says where its facts are from. Which provider serves their accounts'
calls is told in `providers`."""

from collections.abc import Sequence

from aiproxy.credentials.login import Login
from aiproxy.credentials.logins.claude import CLAUDE
from aiproxy.credentials.logins.codex import CODEX
from aiproxy.credentials.logins.copilot import COPILOT
from aiproxy.credentials.logins.google import ANTIGRAVITY, GEMINI_CLI
from aiproxy.credentials.logins.iflow import IFLOW
from aiproxy.credentials.logins.kimi import KIMI
from aiproxy.credentials.logins.kiro import KIRO
from aiproxy.credentials.logins.qwen import QWEN
from aiproxy.credentials.logins.vertex import VERTEX

LOGINS: Sequence[Login] = (GEMINI_CLI, ANTIGRAVITY, CODEX, CLAUDE, KIRO, QWEN, IFLOW, KIMI, COPILOT, VERTEX)
