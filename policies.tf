# What the policies say: who may assume the role, and what the role may do with itself.

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition  = var.create_role ? data.aws_partition.current.partition : try(split(":", var.role_arn)[1], "")
  account_id = var.create_role ? data.aws_caller_identity.current.account_id : try(split(":", var.role_arn)[4], "")

  # Written out, not read from the role: both policies name the role, and all of both is known at plan time.
  role_arn = var.create_role ? "arn:${local.partition}:iam::${local.account_id}:role${var.role_path}${local.role_name}" : try(coalesce(var.role_arn), "")
}

# Who may assume the role.

module "trust_policy" {
  source = "./modules/trust-policy"

  # Without a role_arn the plan is refused, in existing_role.tf.
  role_arn = coalesce(local.role_arn, "arn:aws:iam::111122223333:role/missing")
}

# What the role may do with itself: open a session under a known name, and no other.

locals {
  # In imds mode the session also gets a source identity, which needs a permission of its own on both sides:
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
  # Profile mode allows it too: a change of attribution_mode then refuses no notebook instance that still runs in the
  # mode of its last start.
  open_session_actions = ["sts:AssumeRole", "sts:SetSourceIdentity"]

  session_name_patterns = [for name in var.additional_session_names : name if strcontains(name, "*") || strcontains(name, "?")]

  # What is no wildcard stands for itself; a name that a pattern covers isn't listed again.
  session_name_pattern_regex = "(?m)^(?:${join("|", [
    for pattern in local.session_name_patterns : replace(replace(replace(pattern, "/[.+]/", "\\$0"), "*", ".*"), "?", ".")
  ])})$"

  # Names as lines, of which one regular expression finds thousands at once: one for each name takes Terraform seconds.
  known_session_names = setunion(keys(var.notebook_instances), var.additional_session_names)
  session_names = sort(setunion(local.session_name_patterns, setsubtract(
    local.known_session_names, regexall(local.session_name_pattern_regex, join("\n", local.known_session_names))
  )))

  deny_unknown_names = {
    Sid      = "UnderKnownNamesOnly"
    Effect   = "Deny"
    Action   = "sts:AssumeRole"
    Resource = local.role_arn
  }

  # A Deny, so that the names hold also where another policy of the role allows sts:*. Where other calls of the module
  # add names of their own to the role, it would refuse theirs: the names then stand in the Allow.
  open_session_statements = concat(
    !local.denies_unknown_names && length(local.session_names) == 0 ? [] : [
      merge(
        {
          # With other managed policies this policy changes too. It waits for the new ones, and the old ones' end for it.
          Sid      = "OpenNotebookSessions${local.has_session_name_policies ? local.session_name_policies_id : ""}"
          Effect   = "Allow"
          Action   = local.open_session_actions
          Resource = local.role_arn
        },
        # sts:SetSourceIdentity is asked for beside sts:AssumeRole, which always has a session name.
        local.denies_unknown_names ? {} : {
          Condition = { StringLikeIfExists = { "sts:RoleSessionName" = local.session_names } }
        }
      ),
    ],
    !local.denies_unknown_names || local.has_session_name_policies ? [] : [
      merge(local.deny_unknown_names, length(local.session_names) == 0 ? {} : {
        Condition = { StringNotLike = { "sts:RoleSessionName" = local.session_names } }
      }),
    ]
  )

  assume_self_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.open_session_statements, [
      # The known names are then those of the source identity too.
      {
        Sid      = "SourceIdentityIsTheSessionName"
        Effect   = "Deny"
        Action   = "sts:AssumeRole"
        Resource = local.role_arn
        Condition = {
          Null            = { "sts:SourceIdentity" = "false" }
          StringNotEquals = { "sts:SourceIdentity" = "$${sts:RoleSessionName}" }
        }
      },
      # A notebook instance's base session has no source identity. One that has belongs to a job that a notebook created.
      {
        Sid       = "NotFromASessionWithSourceIdentity"
        Effect    = "Deny"
        Action    = "sts:AssumeRole"
        Resource  = local.role_arn
        Condition = { Null = { "aws:SourceIdentity" = "false" } }
      },
      {
        Sid      = "FindOwnRole"
        Effect   = "Allow"
        Action   = "sagemaker:DescribeNotebookInstance"
        Resource = "arn:${local.partition}:sagemaker:*:${local.account_id}:notebook-instance/*"
      },
    ])
  })
}

# SageMaker writes the logs of lifecycle scripts and of Jupyter in the base session, with the role's own permissions.

locals {
  logs_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "WriteNotebookLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = "arn:${local.partition}:logs:*:${local.account_id}:log-group:/aws/sagemaker/NotebookInstances*"
      },
    ]
  })
}

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

# What the base session may not do, where unattributed calls are denied.

locals {
  # SageMaker itself calls these in the base session.
  unattributed_allowed_actions = coalesce(var.unattributed_allowed_actions, [
    "cloudwatch:PutMetricData",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
  ])

  # The first statement has to leave out AssumeRole, whatever the role; the second takes that back for all other roles.
  deny_unattributed_calls_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "BaseSessionMayDoNothingElse"
        Effect    = "Deny"
        NotAction = concat(["sts:AssumeRole", "sts:SetSourceIdentity"], sort(local.unattributed_allowed_actions))
        Resource  = "*"
        Condition = { StringLike = { "aws:userid" = "*:SageMaker" } }
      },
      {
        Sid         = "BaseSessionMayAssumeNoOtherRole"
        Effect      = "Deny"
        Action      = "sts:AssumeRole"
        NotResource = local.role_arn
        Condition   = { StringLike = { "aws:userid" = "*:SageMaker" } }
      },
    ]
  })
}

# How long they may be.

locals {
  # For all inline policies of a role together; white space, which jsonencode doesn't write, isn't counted:
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  inline_policy_quota = 10240
  inline_policy_characters = sum([
    length(local.assume_self_policy),
    var.deny_unattributed_calls ? length(local.deny_unattributed_calls_policy) : 0,
    var.attach_logs_policy ? length(local.logs_policy) : 0,
    local.protects_role ? length(local.protect_role_policy) : 0,
  ])
}
