"""Downloads the AWS provider that the tests and the demo run, once for all of them, where no folder of this machine has it.

Run as `python tools/get_provider.py` by tools/set-up.sh. Otherwise each test would download it anew, in its newest version.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from workspace import DOWNLOADED, PROVIDER_VERSION, provider_mirror, terraform_program

CONFIGURATION = f"""
terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "{PROVIDER_VERSION}"
    }}
  }}
}}
"""


def main() -> int:
    """Return the exit status of the download; 0 where there is nothing to do."""
    if provider_mirror():
        return 0
    print(f"set-up: downloading the AWS provider {PROVIDER_VERSION}")
    DOWNLOADED.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that half of it isn't taken for all.
    with tempfile.TemporaryDirectory(dir=DOWNLOADED.parent) as folder:
        root, cache = Path(folder, "root"), Path(folder, "cache")
        root.mkdir()
        cache.mkdir()
        (root / "main.tf").write_text(CONFIGURATION)
        done = subprocess.run(
            [terraform_program(), "init", "-input=false", "-no-color"],
            cwd=root,
            env={**os.environ, "TF_PLUGIN_CACHE_DIR": str(cache)},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode == 0:
            cache.rename(DOWNLOADED)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
