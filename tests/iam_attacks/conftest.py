"""An account where the module is applied in both modes, with a role that may do everything with SageMaker and IAM."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from calls import write_calls
from emulator.server import Emulator
from notebooks import create_notebook
from policy_documents import policy_document
from workspace import Workspace

from .outcome import TABLE
from .scene import Scene

MODES = ("profile", "imds")


@pytest.fixture(scope="session")
def scenes(
    new_emulator: Callable[..., Emulator], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Scene]]:
    """Apply the module in both modes; in each a stopped notebook instance with root access is there from before."""
    folder = tmp_path_factory.mktemp("iam-attacks")
    with new_emulator() as emulator:
        iam, sagemaker = emulator.client("iam"), emulator.client("sagemaker")
        powers = policy_document({"Effect": "Allow", "Action": ["sagemaker:*", "iam:*"], "Resource": "*"})
        bounds = policy_document(
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:*", "Resource": "*"},
        )
        boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=bounds)["Policy"]["Arn"]
        policy_arns = {
            mode: iam.create_policy(PolicyName=f"{mode}-powers", PolicyDocument=powers)["Policy"]["Arn"]
            for mode in MODES
        }
        calls = {
            mode: {
                "name": mode,
                "attribution_mode": mode,
                "notebook_instances": {mode: {}, f"{mode}-colleague": {}},
                "role_permissions_boundary": boundary,
                "role_policy_arns": {"powers": policy_arns[mode]},
            }
            for mode in MODES
        }
        root = write_calls(folder / "module", calls, outputs=None)
        workspace = Workspace(folder / "module", root=root, environment=emulator.environment())
        assert workspace.apply().errors == []
        given = workspace.outputs()
        scenes = {mode: Scene(emulator, mode, given[mode], policy_arns[mode]) for mode in MODES}
        for scene in scenes.values():
            create_notebook(emulator, scene.rooted, scene.role_arn, RootAccess="Enabled")
            scene.wait(scene.rooted, "InService")
            sagemaker.stop_notebook_instance(NotebookInstanceName=scene.rooted)
        yield scenes


seen = TABLE.collecting("session")
"""The outcomes by attack."""
