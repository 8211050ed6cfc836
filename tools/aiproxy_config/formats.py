"""A validation's findings as text, JSON, SARIF 2.1.0 or GitHub annotations."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from aiproxy.config.codes import EXPLANATIONS
from aiproxy.config.problems import Problem, Severity, render_problem


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that was found in some files."""

    sources: Sequence[str]
    problems: Sequence[Problem]

    def count(self, severity: Severity) -> int:
        return sum(problem.severity is severity for problem in self.problems)

    @property
    def summary(self) -> str:
        errors, warnings = self.count(Severity.ERROR), self.count(Severity.WARNING)
        where = self.sources[0] if len(self.sources) == 1 else f"{len(self.sources)} files"
        if not errors and not warnings:
            return f"{where}: valid"
        found = [counted(errors, "error")] if errors else ["valid"]
        found += [counted(warnings, "warning")] if warnings else []
        return f"{where}: {', '.join(found)}"


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def text(findings: Findings, *, colour: bool) -> str:
    lines = [render_problem(problem, colour=colour) for problem in findings.problems]
    summary = findings.summary
    if colour:
        summary = f"\x1b[{31 if findings.count(Severity.ERROR) else 32}m{summary}\x1b[0m"
    return "\n".join([*lines, summary])


def as_json(findings: Findings) -> str:
    summary = {
        "files": list(findings.sources),
        "errors": findings.count(Severity.ERROR),
        "warnings": findings.count(Severity.WARNING),
    }
    problems = [{**asdict(problem), "excerpt": "\n".join(problem.excerpt)} for problem in findings.problems]
    return json.dumps({"summary": summary, "problems": problems}, indent=2, ensure_ascii=False)


def sarif(findings: Findings) -> str:
    """Static Analysis Results Interchange Format, OASIS standard 2.1.0."""
    codes = sorted({problem.code for problem in findings.problems})
    rules = [{"id": code, "name": code, "shortDescription": {"text": EXPLANATIONS[code].words}} for code in codes]
    driver = {"name": "aiproxy-config", "version": version("aiproxy"), "rules": rules}
    results = [_sarif_result(problem) for problem in findings.problems]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(log, indent=2, ensure_ascii=False)


def _sarif_result(problem: Problem) -> Mapping[str, Any]:
    result: dict[str, Any] = {"ruleId": problem.code, "level": problem.severity.value}
    if not problem.line:
        # A variable or an option: there is no artifact to point into.
        return {**result, "message": {"text": f"{problem.file}: {problem.message}"}}
    region = {"startLine": problem.line, "startColumn": problem.column}
    location = {"physicalLocation": {"artifactLocation": {"uri": quote(problem.file)}, "region": region}}
    return {**result, "message": {"text": problem.message}, "locations": [location]}


def github(findings: Findings) -> str:
    """Workflow commands of GitHub Actions, which shows them beside the line."""
    return "\n".join([*map(_annotation, findings.problems), findings.summary])


def _annotation(problem: Problem) -> str:
    properties = {"title": problem.code}
    message = problem.message
    if problem.line:
        properties |= {"file": problem.file, "line": str(problem.line), "col": str(problem.column)}
    else:
        message = f"{problem.file}: {message}"
    written = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
    return f"::{problem.severity} {written}::{_escaped(message, '')}"


def _escaped(value: str, special: str) -> str:
    for character in "%\r\n" + special:
        value = value.replace(character, f"%{ord(character):02X}")
    return value


MACHINE_FORMATS: Mapping[str, Callable[[Findings], str]] = {"json": as_json, "sarif": sarif, "github": github}
