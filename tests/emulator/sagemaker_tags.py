"""SageMaker's operations on tags."""

from __future__ import annotations

from typing import Any

from localstack.aws.api import RequestContext

from .sagemaker_account import Accounts, operation, tag_list, tags_in


class TagOperations(Accounts):
    """Add, list and remove the tags of notebook instances and lifecycle configurations."""

    @operation("AddTags")
    def add_tags(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Add tags, or change them; answers all of them."""
        with self.lock:
            tags = self.tags_of(context, request["ResourceArn"])
            tags |= tags_in(request)
            return {"Tags": tag_list(tags)}

    @operation("ListTags")
    def list_tags(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """List a resource's tags."""
        with self.lock:
            return {"Tags": tag_list(self.tags_of(context, request["ResourceArn"]))}

    @operation("DeleteTags")
    def delete_tags(self, context: RequestContext, request: dict[str, Any]) -> dict[str, Any]:
        """Remove tags."""
        with self.lock:
            tags = self.tags_of(context, request["ResourceArn"])
            for key in request["TagKeys"]:
                tags.pop(key, None)
        return {}
