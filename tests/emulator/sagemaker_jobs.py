"""SageMaker's training and processing jobs, as far as their sessions go: nothing is computed.

A job runs in a session that SageMaker opens on the job's role, under the name `SageMaker`. It takes over the source
identity of whoever creates it, and can't be created where the role doesn't let SageMaker set one:
https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access-how-to.html
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError
from localstack.aws.api import RequestContext
from localstack.aws.connect import connect_to
from localstack.http import Request, Response

from .callers import RoleSession
from .sagemaker_account import Accounts, operation
from .sagemaker_validation import ValidationError


def open_session(account_id: str, region: str, role_arn: str, source_identity: str | None = None) -> dict[str, Any]:
    """Open a session on a role as SageMaker does it; return its credentials."""
    sts: Any = connect_to(aws_access_key_id=account_id, region_name=region).sts
    given = {"SourceIdentity": source_identity} if source_identity else {}
    opened = sts.request_metadata(service_principal="sagemaker").assume_role(
        RoleArn=role_arn, RoleSessionName="SageMaker", **given
    )
    return dict(opened["Credentials"])


class JobOperations(Accounts):
    """Create jobs, and hand out the session that one runs in."""

    @operation("CreateTrainingJob")
    def create_training_job(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Create a training job."""
        return {"TrainingJobArn": self._create(context, "training-job", request["TrainingJobName"], request["RoleArn"])}

    @operation("CreateProcessingJob")
    def create_processing_job(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Create a processing job."""
        name = request["ProcessingJobName"]
        return {"ProcessingJobArn": self._create(context, "processing-job", name, request["RoleArn"])}

    def answer_job_session(self, _: Request, account_id: str, region: str, name: str) -> Response:
        """Answer what runs in a job with the credentials of the job's session."""
        with self.lock:
            credentials = self.stores[account_id, region].job_sessions.get(name)
        if credentials is None:
            return Response(json.dumps({"message": f"no job {name}"}), 404)
        return Response(json.dumps(credentials, default=lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ")), 200)

    def _create(self, context: RequestContext, kind: str, name: str, role_arn: str) -> str:
        caller: Any = context.get("caller")
        identity = caller.source_identity if isinstance(caller, RoleSession) else None
        try:
            credentials = open_session(context.account_id, context.region, role_arn, identity)
        except ClientError as error:
            raise ValidationError(f"Could not assume role {role_arn}: {error.response['Error']['Message']}") from error
        with self.lock:
            self.store(context).job_sessions[name] = credentials
        return f"arn:{context.partition}:sagemaker:{context.region}:{context.account_id}:{kind}/{name}"
