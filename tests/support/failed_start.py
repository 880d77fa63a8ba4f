"""A start that fails, as it should: one line with the cause and the repair."""

from __future__ import annotations

from emulator.notebook_instance import NotebookInstance


def refusal(notebook: NotebookInstance, script: str | None = None) -> str:
    """Run the script, which has to fail with one line, and return that line."""
    done = notebook.run_on_start(script=script)
    assert done.returncode == 1, done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("notebook-attribution: FAILED: ")
    assert ". Repair: " in line
    return line


def hide(notebook: NotebookInstance, *programs: str) -> None:
    """Let the programs be missing in this notebook instance, until `show_again`."""
    for program in programs:
        gone = notebook.root(
            f"while path=$(type -P {program}); do mv $path $path.hidden; hash -r; done; ! type -P {program}"
        )
        assert gone.returncode == 0, gone.stderr


def show_again(notebook: NotebookInstance) -> None:
    """Let the programs that were hidden be there again."""
    shown = notebook.root(
        'for path in {,/usr{,/local}}/{s,}bin/*.hidden; do [[ ! -L $path && ! -e $path ]] || mv "$path" "${path%.hidden}"; done'
    )
    assert shown.returncode == 0, shown.stderr
