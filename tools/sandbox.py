"""An emulated AWS account for trials of one's own; it runs until Ctrl-C.

Run as `python tools/sandbox.py` by `make sandbox`. Its notebook instances boot where this is root. All of it stays below
.cache/sandbox in the clone, and is removed at the end.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import signal
import sys

from emulator.server import Emulator, StartError
from interruption import interrupt_on_signals
from workspace import CHECKOUT, terraform_program, written_cli_config

FOLDER = CHECKOUT / ".cache" / "sandbox"

GUIDE = """
An emulated AWS account is up. {boots}

In another terminal, in this clone, first replace the AWS_* variables: all AWS commands there then go to this account, and
none to yours. Close that terminal when you are done.

  unset $(env | sed -n 's/^\\(AWS_[A-Z0-9_]*\\)=.*/\\1/p')
{exports}

Then, for example:

  terraform -chdir=examples/basic init && terraform -chdir=examples/basic apply
  aws sagemaker list-notebook-instances
{run}  curl -X POST {endpoint}/_emulator/cloudtrail/flush
  .venv/bin/which-notebook summary {log} --no-cache --role data-science-execution

Ctrl-C here ends the account and removes all that is in it. Delete Terraform's state of it, which is of no use then:

  rm examples/basic/terraform.tfstate*
"""
RUN = """\
  PYTHONPATH=tests:tests/support .venv/bin/python tools/in_notebook.py fraud-model aws sts get-caller-identity
"""


def main() -> int:
    """Keep the account up; return the exit status."""
    interrupt_on_signals()
    boot = os.geteuid() == 0
    FOLDER.parent.mkdir(exist_ok=True)
    alone = FOLDER.with_suffix(".lock").open("w")
    try:
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("sandbox: one is up in this clone already: end that with Ctrl-C first", file=sys.stderr)
        return 1
    shutil.rmtree(FOLDER, ignore_errors=True)
    try:
        with Emulator(FOLDER, boot=boot) as emulator:
            cli_config = written_cli_config(terraform_program(), FOLDER)
            variables = (emulator.environment() | {"TF_CLI_CONFIG_FILE": str(cli_config)}).items()
            print(
                GUIDE.format(
                    boots="Notebook instances in it boot."
                    if boot
                    else "Notebook instances in it don't boot: that needs root.",
                    run=RUN if boot else "",
                    exports="\n".join(f"  export {name}={shlex.quote(value)}" for name, value in variables),
                    endpoint=emulator.endpoint_url,
                    log=emulator.cloudtrail_folder.relative_to(CHECKOUT),
                ),
                flush=True,
            )
            while True:
                signal.pause()
    except KeyboardInterrupt:
        print("\nsandbox: the account is gone", file=sys.stderr)
    except StartError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
