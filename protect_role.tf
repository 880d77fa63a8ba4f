# What the role may not do with itself, where the base session must stay out of a notebook user's reach.
#
# Whoever may pass the role to a job or a notebook instance, change a notebook instance that has it, or change its
# policies, has its base session there. Each statement is a Deny, so that it holds beside any Allow of the role's. None
# needs more than the role's ARN, so the policy is known at plan time whatever is attached to the role.

locals {
  protect_role_statements = concat(
    # Creating jobs, models, functions and instance profiles with a role takes iam:PassRole for it.
    var.allow_pass_role ? [] : [
      {
        Sid      = "MayNotPassItself"
        Effect   = "Deny"
        Action   = "iam:PassRole"
        Resource = local.role_arn
      },
    ],
    # To describe, list and stop them stays allowed: scripts that stop an idle notebook instance do that.
    var.allow_notebook_instance_changes ? [] : [
      {
        Sid    = "MayNotChangeNotebookInstances"
        Effect = "Deny"
        Action = [
          "sagemaker:Create*NotebookInstance*",
          "sagemaker:DeleteNotebookInstance*",
          "sagemaker:StartNotebookInstance*",
          "sagemaker:UpdateNotebookInstance*",
        ]
        Resource = "*"
      },
    ],
    # All but what reads the role, and what other statements decide.
    var.allow_role_changes ? [] : [
      {
        Sid       = "MayNotChangeItself"
        Effect    = "Deny"
        NotAction = ["iam:Generate*", "iam:Get*", "iam:List*", "iam:PassRole", "iam:Simulate*", "sts:*"]
        Resource  = local.role_arn
      },
    ],
    # Of every policy in the account, since the module doesn't know which others are attached to the role.
    var.allow_role_changes ? [] : [
      {
        Sid      = "MayNotChangeManagedPolicies"
        Effect   = "Deny"
        Action   = ["iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"]
        Resource = "arn:${local.partition}:iam::${local.account_id}:policy/*"
      },
    ],
  )
  protect_role_policy = jsonencode({ Version = "2012-10-17", Statement = local.protect_role_statements })

  role_needs_protection = var.attribution_mode == "imds" || var.deny_unattributed_calls
  protects_role         = local.role_needs_protection && length(local.protect_role_statements) > 0
}

resource "aws_iam_role_policy" "protect_role" {
  count = local.manages_role_policies && local.protects_role ? 1 : 0

  name   = local.protect_policy_name
  role   = var.create_role ? aws_iam_role.this[0].name : data.aws_iam_role.existing[0].name
  policy = local.protect_role_policy

  lifecycle {
    create_before_destroy = true
  }
}
