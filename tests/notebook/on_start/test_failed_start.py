"""A script that fails: the notebook instance fails with it, Terraform can't repair that, and the README's way out can."""

from __future__ import annotations

from pathlib import Path

from account import Account
from emulator.notebook_instance import NotebookInstance
from workspace import Workspace

from .caller import caller, session_name


def test_a_failed_start_and_the_way_out(account: Account, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "module", environment=account.emulator.environment())
    settings = {"name": "mend", "notebook_instances": {"mend-me": {}}}
    assert workspace.apply(settings).errors == []
    notebook = NotebookInstance(account.emulator, "mend-me")
    try:
        assert workspace.apply({**settings, "extra_on_start": "echo 'no route' >&2; exit 7"}).errors == []
        assert session_name(caller(notebook)) == "mend-me", "a running instance keeps the script of its last start"
        notebook.stop()
        notebook.start()
        assert notebook.status == "Failed"
        assert "notebook-instance-lifecycle-config/mend-attribution" in str(notebook.failure_reason)
        assert "FAILED: the extra script ended with status 7. Repair: mend extra_on_start (" in notebook.boot_log
        assert "no route" in notebook.boot_log

        # Terraform still changes the script, which the next start reads.
        assert workspace.apply(settings).errors == []
        assert notebook.start()["NotebookInstanceStatus"] == "InService"
        assert session_name(caller(notebook)) == "mend-me"

        # The provider stops an instance before it changes it.
        assert workspace.apply({**settings, "extra_on_start": "exit 7"}).errors == []
        notebook.stop()
        notebook.start()
        assert notebook.status == "Failed"
        larger = {**settings, "notebook_instances": {"mend-me": {"instance_type": "ml.t3.large"}}}
        (error,) = workspace.apply(larger).errors
        assert "Status (Failed) not in ([InService])" in error

        sagemaker = account.emulator.client("sagemaker")
        sagemaker.update_notebook_instance(NotebookInstanceName="mend-me", DisassociateLifecycleConfig=True)
        assert notebook.wait()["NotebookInstanceStatus"] == "Stopped"
        assert notebook.start()["NotebookInstanceStatus"] == "InService"
        assert session_name(caller(notebook)) == "SageMaker"

        assert workspace.apply(larger).errors == []
        assert notebook.describe()["InstanceType"] == "ml.t3.large"
        assert session_name(caller(notebook)) == "mend-me"
    finally:
        assert workspace.destroy(settings).errors == []
