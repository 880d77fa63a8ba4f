"""Every way around by IAM that is tried, in the order of the table in docs/threat-model.md.

An attack begins with the session in which the attacker's notebook calls. It returns the credentials that it gained, if
any; a refusal of AWS's ends it. The account's root mends afterwards what it changed.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError
from emulator.judge import Judge, Question
from policy_documents import policy_document

from .scene import Credentials, Scene

Attack = Callable[[Scene], Sequence[Credentials]]

SCRIPT = [{"Content": base64.b64encode(b"#!/bin/bash\ncp -r /root /home/ec2-user\n").decode()}]
EVERYTHING = policy_document({"Effect": "Allow", "Action": "*", "Resource": "*"})
TRUSTED_ACTIONS = ["sts:AssumeRole", "sts:SetSourceIdentity"]


class RefusedError(Exception):
    """AWS wouldn't do what the attack needs next."""


def trusting(principal: str) -> str:
    """Return a trust policy that lets this principal of the account in."""
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": TRUSTED_ACTIONS}
    return policy_document(statement)


# Passing the role.


def create_job(scene: Scene, by: Credentials | None = None) -> Credentials:
    """Create a training job with the notebooks' role; return its session."""
    name = scene.new_name()
    scene.client("sagemaker", by).create_training_job(
        TrainingJobName=name,
        RoleArn=scene.role_arn,
        AlgorithmSpecification={"TrainingImage": "111122223333.dkr.ecr.us-east-1.amazonaws.com/t", "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://figures/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )  # fmt: skip
    return scene.job_session(name)


def call_in_a_job(scene: Scene) -> Sequence[Credentials]:
    """Call in a job's session, which is a base session."""
    return [create_job(scene)]


def open_session_in_a_job(scene: Scene) -> Sequence[Credentials]:
    """Open a colleague's session with a job's."""
    return [scene.opened(create_job(scene), scene.colleague)]


def open_session_in_an_operators_job(scene: Scene) -> Sequence[Credentials]:
    """Open a colleague's session in a job that an operator, whose source identity is that name, runs with the role."""
    iam, name = scene.root("iam"), scene.new_name()
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(scene.emulator.account_id))
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=EVERYTHING)
    operator = scene.root("sts").assume_role(
        RoleArn=f"arn:aws:iam::{scene.emulator.account_id}:role/{name}",
        RoleSessionName="operator",
        SourceIdentity=scene.colleague,
    )["Credentials"]
    return [scene.opened(create_job(scene, operator), scene.colleague, scene.colleague)]


def create_notebook_instance(scene: Scene) -> Credentials:
    """Create a notebook instance with the role and root access; return what root gets on it."""
    name = scene.new_name()
    scene.client("sagemaker").create_notebook_instance(
        NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=scene.role_arn, RootAccess="Enabled"
    )
    return scene.base_session(name)


def open_session_on_a_new_instance(scene: Scene) -> Sequence[Credentials]:
    """Open a colleague's session as root of a new notebook instance."""
    return [scene.opened(create_notebook_instance(scene), scene.colleague)]


def pass_to_other_services(scene: Scene) -> Sequence[Credentials]:
    """Give the role to an EC2 instance and to a Lambda function."""
    iam, name = scene.client("iam"), scene.new_name()
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=scene.role_name)
    # The emulated account has neither service's machines; whether each could open a session there is IAM's to say.
    trust = scene.root("iam").get_role(RoleName=scene.role_name)["Role"]["AssumeRolePolicyDocument"]
    with Judge() as judge:
        for service in ("ec2.amazonaws.com", "lambda.amazonaws.com"):
            question = Question(
                principal=service,
                action="sts:AssumeRole",
                resource=scene.role_arn,
                resource_account=scene.emulator.account_id,
                resource_policy=trust,
                context={"sts:RoleSessionName": "i-0abc"},
            )
            if judge.decide(question).allowed:
                return []
    raise RefusedError


PASSING: dict[str, Attack] = {
    "create a job with the notebooks' role, and call there": call_in_a_job,
    "… and open a colleague's session in it": open_session_in_a_job,
    "open a session in a job that somebody runs with the role under a colleague's source identity": open_session_in_an_operators_job,
    "create a notebook instance with the role and root access, and call there": lambda scene: [create_notebook_instance(scene)],
    "… and open a colleague's session there": open_session_on_a_new_instance,
    "pass the role to EC2 or Lambda": pass_to_other_services,
}  # fmt: skip

# Notebook instances.


def change_own(scene: Scene, **changes: Any) -> Sequence[Credentials]:
    """Stop one's own notebook instance, change it and start it; return what root gets there."""
    sagemaker, name = scene.client("sagemaker"), scene.name
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    scene.wait(name, "Stopped")
    sagemaker.update_notebook_instance(NotebookInstanceName=name, **changes)
    scene.wait(name, "Stopped")
    sagemaker.start_notebook_instance(NotebookInstanceName=name)
    scene.wait(name, "InService")
    return [scene.base_session(name)]


def other_lifecycle_configuration(scene: Scene) -> Sequence[Credentials]:
    """Give one's own notebook instance a script that runs as root."""
    name = scene.new_name()
    scene.client("sagemaker").create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=name, OnStart=SCRIPT
    )
    return change_own(scene, LifecycleConfigName=name)


def change_lifecycle_configuration(scene: Scene) -> Sequence[Credentials]:
    """Change the script that all notebook instances run."""
    scene.client("sagemaker").update_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=scene.outputs["lifecycle_configuration_name"], OnStart=SCRIPT
    )
    return []


def start_and_open(scene: Scene) -> Sequence[Credentials]:
    """Start and open a stopped notebook instance that has root access."""
    sagemaker = scene.client("sagemaker")
    sagemaker.start_notebook_instance(NotebookInstanceName=scene.rooted)
    scene.wait(scene.rooted, "InService")
    sagemaker.create_presigned_notebook_instance_url(NotebookInstanceName=scene.rooted)
    return [scene.base_session(scene.rooted)]


def open_a_colleagues(scene: Scene) -> Sequence[Credentials]:
    """Open a colleague's notebook instance, and call there as the colleague does."""
    scene.client("sagemaker").create_presigned_notebook_instance_url(NotebookInstanceName=scene.colleague)
    return [scene.opened(scene.base_session(scene.colleague), scene.colleague)]


INSTANCES: dict[str, Attack] = {
    "turn root access on": lambda scene: change_own(scene, RootAccess="Enabled"),
    "give one's notebook instance another lifecycle configuration": other_lifecycle_configuration,
    "change the script in the module's lifecycle configuration": change_lifecycle_configuration,
    "start a stopped notebook instance that has root access, and open it": start_and_open,
    "open a colleague's notebook instance by a presigned URL": open_a_colleagues,
}

# The role.


def delete_policies(scene: Scene, by: Credentials | None = None) -> Sequence[Credentials]:
    """Delete the policies that the module gave the role."""
    iam = scene.client("iam", by)
    for name in iam.list_role_policies(RoleName=scene.role_name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=scene.role_name, PolicyName=name)
    return []


def change_trust(scene: Scene) -> Sequence[Credentials]:
    """Let every session of the role open another one, and open a colleague's."""
    own = scene.own()
    scene.client("iam", own).update_assume_role_policy(
        RoleName=scene.role_name, PolicyDocument=trusting(scene.role_arn)
    )
    return [scene.opened(own, scene.colleague)]


def change_managed_policy(scene: Scene) -> Sequence[Credentials]:
    """Give a managed policy of the role another version."""
    scene.client("iam").create_policy_version(PolicyArn=scene.policy_arn, PolicyDocument=EVERYTHING, SetAsDefault=True)
    return []


def remove_boundary(scene: Scene) -> Sequence[Credentials]:
    """Remove the role's permissions boundary."""
    scene.client("iam").delete_role_permissions_boundary(RoleName=scene.role_name)
    return []


def change_by_another_role(scene: Scene) -> Sequence[Credentials]:
    """Make another role, and delete the policies with that."""
    own, name = scene.own(), scene.new_name()
    iam = scene.client("iam", own)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(scene.role_arn))
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=EVERYTHING)
    arn = f"arn:aws:iam::{scene.emulator.account_id}:role/{name}"
    chained = scene.client("sts", own).assume_role(RoleArn=arn, RoleSessionName="helper")["Credentials"]
    return delete_policies(scene, chained)


def make_a_user(scene: Scene) -> Sequence[Credentials]:
    """Make an IAM user with an access key."""
    iam, name = scene.client("iam"), scene.new_name()
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return [{"AccessKeyId": key["AccessKeyId"], "SecretAccessKey": key["SecretAccessKey"]}]


def open_a_session(scene: Scene) -> Sequence[Credentials]:
    """Open a session under one's own or a colleague's name from the notebook's, which has a source identity in imds mode."""
    own = scene.own()
    for name in (scene.name, scene.colleague):
        for identity in (scene.name, scene.colleague):
            with suppress(ClientError):
                return [scene.opened(own, name, identity)]
    raise RefusedError


ROLE: dict[str, Attack] = {
    "delete the role's policies": delete_policies,
    "change the role's trust policy, and open a colleague's session": change_trust,
    "give an attached managed policy another version": change_managed_policy,
    "remove the role's permissions boundary": remove_boundary,
    "open a session of the role from a notebook session": open_a_session,
    "make another role, and change this one with it": change_by_another_role,
    "make an IAM user, and call as that": make_a_user,
}

ATTACKS: dict[str, Attack] = {}
for _attacks in (PASSING, INSTANCES, ROLE):
    ATTACKS |= _attacks
