# What the policies say: who may assume the role, and what the role may do with itself.

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition  = var.create_role ? data.aws_partition.current.partition : try(split(":", var.role_arn)[1], "")
  account_id = var.create_role ? data.aws_caller_identity.current.account_id : try(split(":", var.role_arn)[4], "")
  role_name  = var.create_role ? "${var.name}-execution" : try(reverse(split("/", var.role_arn))[0], "")

  # Written out, not read from the role: both policies name the role, and all of both is known at plan time.
  role_arn = var.create_role ? "arn:${local.partition}:iam::${local.account_id}:role${var.role_path}${local.role_name}" : try(coalesce(var.role_arn), "")

  account_root_arn = "arn:${local.partition}:iam::${local.account_id}:root"
}

# Who may assume the role.

locals {
  # A role must be trusted explicitly, also by itself:
  # https://aws.amazon.com/blogs/security/announcing-an-update-to-iam-role-trust-policy-behavior/
  # It can't be named as a principal before it exists; a condition can. The second condition keeps a notebook session
  # from opening a session under another notebook's name.
  # In imds mode the session also gets a source identity, which needs a permission of its own on both sides:
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
  # Profile mode allows it too: a change of attribution_mode then refuses no notebook instance that still runs in the
  # mode of its last start.
  open_session_actions = ["sts:AssumeRole", "sts:SetSourceIdentity"]
  self_trust_statement = {
    Sid       = "BaseSessionOpensNotebookSessions"
    Effect    = "Allow"
    Principal = { AWS = local.account_root_arn }
    Action    = local.open_session_actions
    Condition = {
      StringEquals = { "aws:PrincipalArn" = local.role_arn }
      StringLike   = { "aws:userid" = "*:SageMaker" }
    }
  }

  role_trust_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "SageMakerOpensBaseSession"
        Effect    = "Allow"
        Principal = { Service = "sagemaker.amazonaws.com" }
        # A job takes over the source identity of the session that creates it, and fails where the role doesn't let it:
        # https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access-how-to.html
        Action = local.open_session_actions
      },
      local.self_trust_statement,
    ]
  })
}

# What the role may do with itself: open a session under a known name, and no other.

locals {
  session_name_patterns = [for name in var.additional_session_names : name if can(regex("[*?]", name))]

  # What is no wildcard stands for itself; a name that a pattern covers isn't listed again.
  session_name_pattern_regex = "^(${join("|", [
    for pattern in local.session_name_patterns : replace(replace(replace(pattern, "/[.+]/", "\\$0"), "*", ".*"), "?", ".")
  ])})$"

  known_session_names = setunion(keys(var.notebook_instances), var.additional_session_names)
  session_names = sort([
    for name in local.known_session_names : name
    if contains(local.session_name_patterns, name) || !can(regex(local.session_name_pattern_regex, name))
  ])

  assume_self_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "OpenNotebookSessions"
        Effect   = "Allow"
        Action   = local.open_session_actions
        Resource = local.role_arn
      },
      # A Deny, so that the names hold also where another policy of the role allows sts:*.
      merge(
        {
          Sid      = "UnderKnownNamesOnly"
          Effect   = "Deny"
          Action   = "sts:AssumeRole"
          Resource = local.role_arn
        },
        length(local.session_names) == 0 ? {} : {
          Condition = { StringNotLike = { "sts:RoleSessionName" = local.session_names } }
        }
      ),
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
    ]
  })

  # What the base session may not do. The first statement has to leave out AssumeRole, whatever the role; the second
  # takes that back for all other roles.
  deny_unattributed_calls_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "BaseSessionMayDoNothingElse"
        Effect    = "Deny"
        NotAction = concat(["sts:AssumeRole", "sts:SetSourceIdentity"], sort(var.unattributed_allowed_actions))
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

  # For all inline policies of a role together; white space, which jsonencode doesn't write, isn't counted:
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  inline_policy_quota = 10240
  inline_policy_characters = sum([
    length(local.assume_self_policy),
    var.deny_unattributed_calls ? length(local.deny_unattributed_calls_policy) : 0,
    local.protects_role ? length(local.protect_role_policy) : 0,
  ])
}
