"""The parts of documents that follow from the code are as the code has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import reference
from document_table import WRITE
from workspace import CHECKOUT


@pytest.mark.parametrize("document", reference.documents(), ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_the_document_has_what_the_code_has(document: Path) -> None:
    written = reference.written(document)
    if WRITE:
        document.write_text(written)
    assert document.read_text() == written, (
        "the code has changed; WRITE_TABLES=1 .venv/bin/pytest -n 0 tests/harness/test_reference.py writes its part"
    )


def test_make_tables_runs_whatever_writes_into_documents() -> None:
    (recipe,) = re.findall(r"^tables:.*\n((?:\t.*\n)+)", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    run = [CHECKOUT / each for each in re.findall(r"(tests/[\w/.]+)", recipe)]
    writing = {path for path in CHECKOUT.glob("tests/**/test_*.py") if "document_table import" in path.read_text()}
    left_out = {path for path in writing if not any(path.is_relative_to(each) for each in run)}
    # What it writes is no document's.
    assert left_out == {CHECKOUT / "tests/which_notebook/test_audit_scripts.py"}


def test_a_document_without_its_markers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# A module\n")
    (tmp_path / "main.tf").write_text('output "a" {\n  value = 1\n  description = "A."\n}\n')
    with pytest.raises(ValueError, match="BEGIN_TF_DOCS"):
        reference.written(tmp_path / "README.md")


def test_types_defaults_lists_and_bars_are_written_out(tmp_path: Path) -> None:
    (tmp_path / "variables.tf").write_text(
        """
variable "b" {
  description = <<-EOT
    One of \"x\"
    or y|z:
    - `first`
    - `second`
    No more.
  EOT
  type        = map(list(string))
  default     = { a = ["x"] }
}

variable "a" {
  description = "It says \\"yes\\"."
  type        = object({ size = number, name = optional(string) })
}

variable "c" {
  description = "None."
  type        = string
  default     = null
}
"""
    )
    (tmp_path / "outputs.tf").write_text('output "d" {\n  description = "Done."\n  value = var.c\n}\n')
    assert reference.inputs_and_outputs(tmp_path).splitlines() == [
        "## Inputs",
        "",
        "| Name | Description | Type | Default | Required |",
        "| --- | --- | --- | --- | --- |",
        '| `a` | It says "yes". | `object({size = number, name = optional(string)})` | n/a | yes |',
        r'| `b` | One of "x" or y\|z:<br>- `first`<br>- `second`<br>No more. | `map(list(string))` | `{ a = ["x"] }` | no |',
        "| `c` | None. | `string` | `null` | no |",
        "",
        "## Outputs",
        "",
        "| Name | Description |",
        "| --- | --- |",
        "| `d` | Done. |",
    ]
