# The trust policy of an execution role, from the role's ARN alone: a role can be created with it.

terraform {
  required_version = ">= 1.5"
}

locals {
  partition  = split(":", var.role_arn)[1]
  account_id = split(":", var.role_arn)[4]

  # The source identity, which the imds mode sets, needs a permission of its own:
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
  open_session_actions = ["sts:AssumeRole", "sts:SetSourceIdentity"]

  # A role must be trusted explicitly, also by itself:
  # https://aws.amazon.com/blogs/security/announcing-an-update-to-iam-role-trust-policy-behavior/
  # It can't be named as a principal before it exists; a condition can. The second condition keeps a notebook session
  # from opening a session under another notebook's name.
  self_trust_statement = {
    Sid       = "BaseSessionOpensNotebookSessions"
    Effect    = "Allow"
    Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
    Action    = local.open_session_actions
    Condition = {
      StringEquals = { "aws:PrincipalArn" = var.role_arn }
      StringLike   = { "aws:userid" = "*:SageMaker" }
    }
  }
}
