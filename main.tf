data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_iam_role" "existing" {
  count = var.create_role ? 0 : 1

  name = local.role_name

  lifecycle {
    precondition {
      condition     = var.role_arn != null
      error_message = "create_role = false needs role_arn, the ARN of the existing execution role. Add it, or remove create_role."
    }

    postcondition {
      condition     = self.arn == var.role_arn
      error_message = "The provider's account has a role ${local.role_name}, but its ARN is ${self.arn}, not ${local.role_arn}. Write that ARN, with its path, or use a provider of the role's account."
    }
  }
}

locals {
  partition  = var.create_role ? data.aws_partition.current.partition : try(split(":", var.role_arn)[1], "")
  account_id = var.create_role ? data.aws_caller_identity.current.account_id : try(split(":", var.role_arn)[4], "")
  role_name  = var.create_role ? "${var.name}-execution" : try(reverse(split("/", var.role_arn))[0], "")

  # Written out, not read from the role: both policies name the role, and all of both is known at plan time.
  role_arn = var.create_role ? "arn:${local.partition}:iam::${local.account_id}:role${var.role_path}${local.role_name}" : try(coalesce(var.role_arn), "")

  account_root_arn = "arn:${local.partition}:iam::${local.account_id}:root"
}

# The role, and who may assume it.

locals {
  # A role must be trusted explicitly, also by itself:
  # https://aws.amazon.com/blogs/security/announcing-an-update-to-iam-role-trust-policy-behavior/
  # It can't be named as a principal before it exists; a condition can. The second condition keeps a notebook session
  # from opening a session under another notebook's name.
  # In imds mode the session also gets a source identity, which needs a permission of its own on both sides:
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
  open_session_actions = concat(["sts:AssumeRole"], var.attribution_mode == "imds" ? ["sts:SetSourceIdentity"] : [])
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
        Action    = "sts:AssumeRole"
      },
      local.self_trust_statement,
    ]
  })
}

resource "aws_iam_role" "this" {
  count = var.create_role ? 1 : 0

  name                 = local.role_name
  path                 = var.role_path
  description          = "Execution role of SageMaker notebook instances; each calls in a session of its own name"
  assume_role_policy   = local.role_trust_policy
  permissions_boundary = var.role_permissions_boundary
  tags                 = var.tags

  lifecycle {
    precondition {
      condition     = var.role_arn == null
      error_message = "role_arn names an existing role, but create_role is true. Add create_role = false to use that role, or remove role_arn to have one created."
    }
  }
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
    Statement = concat([
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
      {
        Sid      = "FindOwnRole"
        Effect   = "Allow"
        Action   = "sagemaker:DescribeNotebookInstance"
        Resource = "arn:${local.partition}:sagemaker:*:${local.account_id}:notebook-instance/*"
      },
      ], var.attribution_mode != "imds" ? [] : [
      # The known names are then those of the source identity too. A session without one has another name than it.
      {
        Sid       = "SourceIdentityIsTheSessionName"
        Effect    = "Deny"
        Action    = "sts:AssumeRole"
        Resource  = local.role_arn
        Condition = { StringNotEquals = { "sts:SourceIdentity" = "$${sts:RoleSessionName}" } }
      },
    ])
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
  inline_policy_quota      = 10240
  inline_policy_characters = length(local.assume_self_policy) + (var.deny_unattributed_calls ? length(local.deny_unattributed_calls_policy) : 0)
}

resource "aws_iam_role_policy" "assume_self" {
  name   = "${var.name}-assume-self"
  role   = var.create_role ? aws_iam_role.this[0].name : data.aws_iam_role.existing[0].name
  policy = local.assume_self_policy

  lifecycle {
    precondition {
      condition     = local.inline_policy_characters <= local.inline_policy_quota
      error_message = "The role's inline ${var.deny_unattributed_calls ? "policies" : "policy"} would have ${local.inline_policy_characters} characters with its ${length(local.session_names)} session names; IAM takes ${local.inline_policy_quota}. Give the names a common prefix and put a pattern for it into additional_session_names, such as \"team-a-*\": names that a pattern covers aren't listed."
    }
  }
}

resource "aws_iam_role_policy" "deny_unattributed_calls" {
  count = var.deny_unattributed_calls ? 1 : 0

  name   = "${var.name}-deny-unattributed-calls"
  role   = var.create_role ? aws_iam_role.this[0].name : data.aws_iam_role.existing[0].name
  policy = local.deny_unattributed_calls_policy
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = var.role_policy_arns

  role       = var.create_role ? aws_iam_role.this[0].name : data.aws_iam_role.existing[0].name
  policy_arn = each.value
}

# The notebook instances, and the script that they run at every start.

locals {
  # The script's settings, before the script as it stands in the file. Windows checkouts and editors bring CRLF, which
  # would break it on the instance.
  on_start_settings = [
    for setting in [
      ["ROLE_ARN", local.role_arn],
      ["ATTRIBUTION_MODE", var.attribution_mode],
      ["ALLOW_START_WITHOUT_ATTRIBUTION", tostring(var.allow_start_without_attribution)],
      ["EXTRA_ON_START", var.extra_on_start],
    ] : "${setting[0]}='${replace(replace(setting[1], "\r\n", "\n"), "'", "'\\''")}'"
  ]
  script_files = {
    for name in ["imds-mode.sh", "imds-proxy.py", "on-start.sh"] : name => replace(file("${path.module}/scripts/${name}"), "\r\n", "\n")
  }

  on_start_in_profile_mode = join("\n", concat(["#!/bin/bash"], local.on_start_settings, [local.script_files["on-start.sh"]]))

  # The imds mode's files don't fit as they stand: they go without their comments, without what is the profile mode's,
  # and compressed, with the owner's script.
  imds_files = { for name, text in local.script_files : name => replace(
    replace(text, "/(?m)^ *(# .*|\"\"\"[^\"]*\"\"\")\n/", ""),
    "/(?s)\nask_for_role\\(.*\n}\n\nset_up_attribution/", "\nset_up_attribution"
  ) }
  on_start_in_imds_mode = join("\n", [
    "#!/bin/bash",
    "# Makes the AWS calls of this notebook instance attributable to it in CloudTrail; read it through base64 -d | gzip -d",
    "set -o pipefail",
    "script=$(base64 -d <<<'${base64gzip(join("\n", concat(
      local.on_start_settings,
      ["IMDS_PROXY='${replace(local.imds_files["imds-proxy.py"], "'", "'\\''")}'"],
      [local.imds_files["imds-mode.sh"], local.imds_files["on-start.sh"]]
    )))}' | gzip -d) || {",
    "  echo 'notebook-attribution: FAILED: the script is damaged. Repair: terraform apply.' >&2",
    "  exit 1",
    "}",
    "eval \"$script\"",
    "",
  ])

  on_start  = var.attribution_mode == "imds" ? local.on_start_in_imds_mode : local.on_start_in_profile_mode
  on_create = var.on_create == null ? null : replace(var.on_create, "\r\n", "\n")

  # SageMaker takes 16,384 characters of base64.
  lifecycle_script_limit = 12288
  lifecycle_script_bytes = {
    for hook, script in { on_start = local.on_start, on_create = local.on_create == null ? "" : local.on_create } :
    hook => length(base64encode(script)) / 4 * 3 - length(regex("=*$", base64encode(script)))
  }
}

resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "this" {
  name      = "${var.name}-attribution"
  on_start  = base64encode(local.on_start)
  on_create = local.on_create == null ? null : base64encode(local.on_create)
  tags      = var.tags

  lifecycle {
    precondition {
      condition     = local.lifecycle_script_bytes.on_start <= local.lifecycle_script_limit
      error_message = "The on-start script would have ${local.lifecycle_script_bytes.on_start} bytes, ${local.lifecycle_script_bytes.on_start - local.lifecycle_script_limit} more than the ${local.lifecycle_script_limit} that SageMaker takes. Shorten extra_on_start ${var.attribution_mode == "imds" ? "(by more, since it is compressed)" : "by as much"}, for example by having it fetch the rest from S3."
    }

    precondition {
      condition     = local.lifecycle_script_bytes.on_create <= local.lifecycle_script_limit
      error_message = "on_create has ${local.lifecycle_script_bytes.on_create} bytes, ${local.lifecycle_script_bytes.on_create - local.lifecycle_script_limit} more than the ${local.lifecycle_script_limit} that SageMaker takes. Shorten it by as much, for example by having it fetch the rest from S3."
    }
  }
}

resource "aws_sagemaker_notebook_instance" "this" {
  for_each = var.notebook_instances

  name                  = each.key
  role_arn              = var.create_role ? aws_iam_role.this[0].arn : local.role_arn
  instance_type         = each.value.instance_type
  volume_size           = each.value.volume_size
  platform_identifier   = each.value.platform_identifier
  kms_key_id            = each.value.kms_key_id
  lifecycle_config_name = aws_sagemaker_notebook_instance_lifecycle_configuration.this.name
  # Root could unlock what the script locks.
  root_access = "Disabled"

  subnet_id              = each.value.subnet_id
  security_groups        = length(each.value.security_groups) == 0 ? null : each.value.security_groups
  direct_internet_access = each.value.direct_internet_access

  default_code_repository      = each.value.default_code_repository
  additional_code_repositories = length(each.value.additional_code_repositories) == 0 ? null : each.value.additional_code_repositories

  instance_metadata_service_configuration {
    minimum_instance_metadata_service_version = each.value.minimum_instance_metadata_service_version
  }

  tags = merge(var.tags, each.value.tags)

  # The first boot needs them, and so does the last call before the end.
  depends_on = [
    aws_iam_role_policy.assume_self,
    aws_iam_role_policy.deny_unattributed_calls,
    aws_iam_role_policy_attachment.this,
  ]
}
