resource "aws_iam_role" "this" {
  count = var.create_role ? 1 : 0

  name                 = local.role_name
  path                 = var.role_path
  description          = "Execution role of SageMaker notebook instances; each calls in a session of its own name"
  assume_role_policy   = module.trust_policy.json
  permissions_boundary = var.role_permissions_boundary
  tags                 = merge(var.tags, local.role_policies_tag)

  # Under another name the new one comes first: the notebook instances move to it, and then the old one goes.
  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = var.role_arn == null
      error_message = "role_arn names an existing role, but create_role is true. Add create_role = false to use that role, or remove role_arn to create a role."
    }

    precondition {
      condition     = local.manages_role_policies
      error_message = "shared_role comes from another call of the module, which has the role's policies, but create_role is true. Add create_role = false and role_arn, the role of that call, or remove shared_role."
    }
  }
}

resource "aws_iam_role_policy" "assume_self" {
  count = local.manages_role_policies ? 1 : 0

  name   = local.assume_self_name
  role   = var.create_role ? aws_iam_role.this[0].name : data.aws_iam_role.existing[0].name
  policy = local.assume_self_policy

  depends_on = [
    # A second call of the same name in this region fails with the lifecycle configuration, before it writes this policy.
    aws_sagemaker_notebook_instance_lifecycle_configuration.this,
    # Between a Deny here and one there, there is always one.
    aws_iam_role_policy_attachment.session_names,
  ]

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = local.inline_policy_characters <= local.inline_policy_quota
      error_message = "The role's inline policies would have ${local.inline_policy_characters} characters with its ${length(local.session_names)} session names; IAM allows ${local.inline_policy_quota}. Give the names a common prefix and put a pattern for it into additional_session_names, such as \"team-a-*\": names that a pattern covers aren't listed.${local.session_name_policies_proposal}"
    }

    precondition {
      condition     = length(var.session_name_policies) == 0 || local.denies_unknown_names
      error_message = "session_name_policies works only if the role's policies deny all other names, but ${var.create_role ? "deny_unknown_session_names is false" : "on an existing role the module denies none"}. ${var.create_role ? "Remove deny_unknown_session_names = false" : "Set deny_unknown_session_names = true, if no other call of the module uses the role"}; or remove session_name_policies."
    }

    precondition {
      condition     = var.policy_name == null || local.denies_unknown_names
      error_message = "policy_name = ${jsonencode(var.policy_name)} names a policy of a role that other calls of the module may use too: two calls with the same policy_name would overwrite each other's policy, without an error. Remove policy_name. Or, if no other call of the module uses the role, ${var.create_role ? "remove deny_unknown_session_names = false" : "set deny_unknown_session_names = true"}."
    }

    precondition {
      condition     = !var.verify_role_trust || local.role_trusts_itself
      error_message = local.role_does_not_trust_itself
    }

    precondition {
      condition     = !var.verify_role_trust || local.role_keeps_notebooks_apart
      error_message = local.role_does_not_keep_notebooks_apart
    }

    precondition {
      condition     = !var.verify_role_trust || local.role_trust_is_judged
      error_message = local.role_trust_is_not_judged
    }
  }
}

resource "aws_iam_role_policy" "logs" {
  count = local.manages_role_policies && var.attach_logs_policy ? 1 : 0

  name   = local.logs_policy_name
  role   = var.create_role ? aws_iam_role.this[0].name : data.aws_iam_role.existing[0].name
  policy = local.logs_policy

  lifecycle {
    create_before_destroy = true
  }
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

resource "aws_iam_role_policy_attachment" "this" {
  for_each = var.role_policy_arns

  role       = var.create_role ? aws_iam_role.this[0].name : try(data.aws_iam_role.existing[0].name, local.role_name)
  policy_arn = each.value

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$", each.value))
      error_message = "role_policy_arns[${jsonencode(each.key)}] must be the ARN of a managed policy, such as \"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess\", not ${jsonencode(each.value)}."
    }
  }
}

resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "this" {
  name      = local.lifecycle_configuration_name
  on_start  = base64encode(local.on_start)
  on_create = base64encode(local.on_create)
  tags      = var.tags

  lifecycle {
    # SageMaker deletes none that a notebook instance uses, and the provider doesn't tell: the old one goes last.
    create_before_destroy = true

    precondition {
      condition     = length(local.wrong_profile_names) == 0
      error_message = "Each key of profiles must be a profile's name: letters, digits and characters of _.@- only, and not default, which is the notebook session's profile. Wrong: ${join(", ", local.wrong_profile_names)}."
    }

    precondition {
      condition     = length(local.unknown_profile_settings) == 0
      error_message = "A setting in profiles must be one of ${join(", ", keys(local.profile_settings))}: others could undo the attribution. Remove ${join(", ", local.unknown_profile_settings)}."
    }

    precondition {
      condition     = length(local.wrong_profile_values) == 0
      error_message = "A setting in profiles has an invalid value: ${join("; ", local.wrong_profile_values)}. Correct it."
    }

    precondition {
      condition     = local.lifecycle_script_bytes.on_start <= local.lifecycle_script_limit || local.extra_on_start_room < 0
      error_message = "extra_on_start is too long: the on-start script would have ${local.lifecycle_script_bytes.on_start} bytes, ${local.lifecycle_script_bytes.on_start - local.lifecycle_script_limit} more than the ${local.lifecycle_script_limit} that SageMaker takes. There is room for ${local.extra_on_start_room} bytes of it, and it takes ${local.lifecycle_script_bytes.on_start - local.lifecycle_script_bytes.own_on_start}${var.attribution_mode == "imds" ? ", both compressed: an ordinary script of about ${floor(local.extra_on_start_room * 1.4)} characters fits" : ""}. Shorten it, or have it fetch the rest from S3, after the line \"export ${local.root_setting}\": without that line, root's calls are unattributed."
    }

    precondition {
      condition     = local.extra_on_start_room >= 0
      error_message = "The on-start script would have ${local.lifecycle_script_bytes.own_on_start} bytes without extra_on_start, ${- local.extra_on_start_room} more than the ${local.lifecycle_script_limit} that SageMaker takes. Remove some of profiles."
    }

    precondition {
      condition     = local.lifecycle_script_bytes.on_create <= local.lifecycle_script_limit
      error_message = "on_create has ${local.lifecycle_script_bytes.on_create} bytes, ${local.lifecycle_script_bytes.on_create - local.lifecycle_script_limit} more than the ${local.lifecycle_script_limit} that SageMaker takes. Shorten it by that number, for example by moving the rest to extra_on_start."
    }
  }
}

resource "aws_sagemaker_notebook_instance" "this" {
  #checkov:skip=CKV_AWS_122:Without internet access it needs a subnet, which is the caller's to give. The default is AWS's.
  #checkov:skip=CKV_AWS_371:The default is version 2; checkov doesn't follow the value. A caller who needs 1 can have it.
  # Terraform goes through all of this map for each instance, so it holds no more than the names.
  for_each = local.notebook_instance_names

  name                  = each.key
  role_arn              = var.create_role ? aws_iam_role.this[0].arn : local.role_arn
  instance_type         = local.notebook_instances[each.key].instance_type
  volume_size           = local.notebook_instances[each.key].volume_size
  platform_identifier   = local.notebook_instances[each.key].platform_identifier
  kms_key_id            = local.notebook_instances[each.key].kms_key_id
  lifecycle_config_name = aws_sagemaker_notebook_instance_lifecycle_configuration.this.name
  # Root could unlock what the script locks.
  root_access = "Disabled"

  subnet_id              = local.notebook_instances[each.key].subnet_id
  security_groups        = length(local.notebook_instances[each.key].security_groups) == 0 ? null : local.notebook_instances[each.key].security_groups
  direct_internet_access = local.notebook_instances[each.key].direct_internet_access

  default_code_repository      = local.notebook_instances[each.key].default_code_repository
  additional_code_repositories = length(local.notebook_instances[each.key].additional_code_repositories) == 0 ? null : local.notebook_instances[each.key].additional_code_repositories

  instance_metadata_service_configuration {
    minimum_instance_metadata_service_version = local.notebook_instances[each.key].minimum_instance_metadata_service_version
  }

  tags = merge(var.tags, local.notebook_instances[each.key].tags)

  # The first boot needs them, and so does the last call before the end.
  depends_on = [
    aws_iam_role_policy.assume_self,
    aws_iam_role_policy.logs,
    aws_iam_role_policy.protect_role,
    aws_iam_role_policy_attachment.session_names,
    aws_iam_role_policy_attachment.this,
  ]

  lifecycle {
    precondition {
      condition     = var.notebook_instances[each.key] == null || can(keys(var.notebook_instances[each.key]))
      error_message = "notebook_instances[${jsonencode(each.key)}] must be a map of attributes. Write, for example, { instance_type = \"ml.t3.large\" }, or {} for the defaults."
    }

    precondition {
      condition     = length(local.wrong_notebook_attributes[each.key]) == 0
      error_message = "notebook_instances[${jsonencode(each.key)}]: ${join(", and ", local.wrong_notebook_attributes[each.key])}."
    }

    precondition {
      condition     = length(local.notebook_problems[each.key].names) == 0
      error_message = join(" ", [for problem in local.notebook_problems[each.key].names : "notebook_instances[${jsonencode(each.key)}]${problem}"])
    }

    precondition {
      condition     = length(local.notebook_problems[each.key].values) == 0
      error_message = join(" ", [for problem in local.notebook_problems[each.key].values : "notebook_instances[${jsonencode(each.key)}]${problem}"])
    }

    precondition {
      condition     = local.notebook_instances[each.key].direct_internet_access != "Disabled" || local.notebook_instances[each.key].subnet_id != null
      error_message = "notebook_instances[${jsonencode(each.key)}]: direct_internet_access = \"Disabled\" needs a subnet_id: without one the notebook instance would have no network at all. Add subnet_id (and security_groups)."
    }

    precondition {
      condition     = length(local.notebook_instances[each.key].security_groups) <= 5
      error_message = "notebook_instances[${jsonencode(each.key)}]: security_groups must be at most 5, not ${length(local.notebook_instances[each.key].security_groups)}."
    }

    precondition {
      condition     = length(local.notebook_instances[each.key].security_groups) == 0 || local.notebook_instances[each.key].subnet_id != null
      error_message = "notebook_instances[${jsonencode(each.key)}]: security_groups need a subnet_id of the same VPC. Add it."
    }

    precondition {
      condition     = length(local.notebook_instances[each.key].additional_code_repositories) <= 3
      error_message = "notebook_instances[${jsonencode(each.key)}]: additional_code_repositories must be at most 3, not ${length(local.notebook_instances[each.key].additional_code_repositories)}."
    }
  }
}

# After the notebook instances: one that the module takes over restarts with the script first.
resource "aws_iam_role_policy" "deny_unattributed_calls" {
  count = local.manages_role_policies && var.deny_unattributed_calls ? 1 : 0

  name   = local.deny_policy_name
  role   = var.create_role ? aws_iam_role.this[0].name : data.aws_iam_role.existing[0].name
  policy = local.deny_unattributed_calls_policy

  depends_on = [aws_sagemaker_notebook_instance.this]

  lifecycle {
    precondition {
      condition     = var.outside_notebooks_are_attributed || !local.has_outside_notebooks
      error_message = "deny_unattributed_calls immediately refuses the calls of each notebook instance that uses the role and doesn't run the module's on-start script, and this call doesn't create all of them. First apply without deny_unattributed_calls. Then stop each notebook instance outside this call, give it a lifecycle configuration of the module, turn its root access off, and start it; `which-notebook audit` shows which are left. Then set outside_notebooks_are_attributed = true."
    }
  }
}
