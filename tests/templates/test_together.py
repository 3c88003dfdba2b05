"""The templates are written as the package is, and do not get in each other's way."""

from __future__ import annotations

import subprocess
import sys

from tests.templates import test_adding_a_lock_format, test_adding_a_report, test_adding_a_rule, test_adding_a_source
from tests.templates.workshop import Workshop

TEMPLATES = (test_adding_a_source, test_adding_a_rule, test_adding_a_report, test_adding_a_lock_format)


def test_the_templates_pass_what_a_change_has_to_pass(workshop: Workshop) -> None:
    for template in TEMPLATES:
        template.register(workshop)

    assert workshop.check(["mypy", "envcheck/sources", "envcheck/rules", "envcheck/reports", "envcheck/locks"]) == ""
    assert workshop.check(["ruff", "check", "--no-cache", "envcheck"]) == ""
    assert workshop.check(["ruff", "format", "--no-cache", "--check", "envcheck"]) == ""


def test_the_templates_keep_the_lines_between_the_parts(workshop: Workshop) -> None:
    for template in TEMPLATES:
        template.register(workshop)

    workshop.copy("tests/test_architecture.py", "tests/cli/running.py", "tests/support/ready_program.py")
    light = "not loads and not light and not table_of_commands"  # what starts the program is tested elsewhere
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", light, "tests/test_architecture.py"],
        cwd=workshop.place,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.returncode, answer.stderr) == (0, ""), answer.stdout
