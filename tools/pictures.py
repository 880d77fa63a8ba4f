"""Takes the pictures in README.md, of what `which-notebook` says of the demo's log: the summary, and the report.

Run as `PYTHONPATH=tests:tests/support .venv/bin/python tools/pictures.py`, as root. It writes docs/pictures/.
"""

from __future__ import annotations

import html
import os
import shutil
import subprocess
import sys
from pathlib import Path

import demo
from browser import Browser
from emulator.server import Emulator
from workspace import CHECKOUT

PICTURES = CHECKOUT / "docs" / "pictures"
ROLE = "data-science-execution"

TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; width: max-content; background: #1b1f24; color: #e6edf3 }}
pre {{ margin: 0; padding: 20px 24px; font: 14px/1.5 "DejaVu Sans Mono", monospace }}
</style><pre>{}</pre><script>performance.mark("ready")</script>
"""


def main() -> int:
    """Take the pictures; return the exit status."""
    shutil.rmtree(demo.FOLDER, ignore_errors=True)
    try:
        with Emulator(demo.FOLDER / "emulator", boot=True) as emulator:
            s3 = emulator.client("s3")
            s3.create_bucket(Bucket=demo.BUCKET)
            s3.put_object(Bucket=demo.BUCKET, Key="2026.csv", Body=b"quarter,figure\n1,42\n")
            demo.after(emulator)
            emulator.flush()
            take(emulator.cloudtrail_folder, demo.FOLDER)
    finally:
        shutil.rmtree(demo.FOLDER, ignore_errors=True)
    return 0


def take(log: Path, folder: Path) -> None:
    """Ask about a log, and take a picture of each answer."""
    PICTURES.mkdir(exist_ok=True)
    program = Path(sys.executable).with_name("which-notebook")

    def ask(command: str, *options: str) -> str:
        arguments = [str(program), command, str(log), "--role", ROLE, "--no-cache", *options]
        environment = {**os.environ, "COLUMNS": "118"}
        said = subprocess.run(arguments, check=True, capture_output=True, text=True, env=environment)
        return said.stdout

    shown = f"$ which-notebook summary logs/ --role {ROLE}\n\n{ask('summary', '--format', 'table').strip()}"
    (folder / "summary.html").write_text(TERMINAL.format(html.escape(shown)))
    ask("report", "--output", str(folder / "report.html"))
    with Browser(folder / "profile") as browser:
        with browser.page(width=400, height=100) as page:
            page.open(folder / "summary.html")
            size = page.box("pre")
            page.resize(int(size["width"]), int(size["height"]))
            page.screenshot(PICTURES / "summary.png")
        with browser.page(width=1200, height=760) as page:
            page.open(folder / "report.html")
            page.screenshot(PICTURES / "report.png", whole=False)


if __name__ == "__main__":
    sys.exit(main())
