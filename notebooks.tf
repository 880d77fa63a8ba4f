# The notebook instances: what was given for each, with its defaults, and what is wrong with it.

locals {
  notebook_attribute_types = {
    string            = ["default_code_repository", "direct_internet_access", "instance_type", "kms_key_id", "minimum_instance_metadata_service_version", "platform_identifier", "subnet_id"]
    number            = ["volume_size"]
    "list of strings" = ["additional_code_repositories", "security_groups"]
    "map of strings"  = ["tags"]
  }
  notebook_attribute_names = sort(flatten(values(local.notebook_attribute_types)))

  # null stands for the default. So does, here, what has a wrong type: a precondition says so, once.
  notebook_instances = { for name, given in var.notebook_instances : name => {
    instance_type                             = try(coalesce(tostring(given.instance_type)), "ml.t3.medium")
    volume_size                               = try(coalesce(tonumber(given.volume_size)), 5)
    subnet_id                                 = try(coalesce(tostring(given.subnet_id)), null)
    security_groups                           = try(toset([for each in given.security_groups : tostring(each)]), [])
    direct_internet_access                    = try(coalesce(tostring(given.direct_internet_access)), null)
    kms_key_id                                = try(coalesce(tostring(given.kms_key_id)), null)
    platform_identifier                       = try(coalesce(tostring(given.platform_identifier)), null)
    minimum_instance_metadata_service_version = try(coalesce(tostring(given.minimum_instance_metadata_service_version)), "2")
    default_code_repository                   = try(coalesce(tostring(given.default_code_repository)), null)
    additional_code_repositories              = try(toset([for each in given.additional_code_repositories : tostring(each)]), [])
    tags                                      = try({ for key, value in given.tags : key => tostring(value) }, {})
  } }

  unknown_notebook_attributes = {
    for name, given in var.notebook_instances : name => setsubtract(try(keys(given), []), local.notebook_attribute_names)
  }

  wrong_notebook_attributes = { for name, given in var.notebook_instances : name => flatten([
    for type, attributes in local.notebook_attribute_types : [
      for attribute in attributes : "${attribute} must be a ${type}"
      if !(
        type == "string" ? can(tostring(try(given[attribute], null))) :
        type == "number" ? can(tonumber(try(given[attribute], null))) :
        try(given[attribute] == null, true) ? true :
        type == "list of strings" ? can([for each in given[attribute] : tostring(each)]) :
        can(keys(given[attribute])) && can([for each in values(given[attribute]) : tostring(each)])
      )
    ]
  ]) }

  notebook_names_by_lower_case = { for name in keys(var.notebook_instances) : lower(name) => name... }
}

resource "aws_sagemaker_notebook_instance" "this" {
  #checkov:skip=CKV_AWS_122:Without internet access it needs a subnet, which is the caller's to give. The default is AWS's.
  #checkov:skip=CKV_AWS_371:The default is version 2; checkov doesn't follow the value. A caller who needs 1 can have it.
  for_each = local.notebook_instances

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
    aws_iam_role_policy.logs,
    aws_iam_role_policy.protect_role,
    aws_iam_role_policy_attachment.this,
  ]

  lifecycle {
    precondition {
      condition     = var.notebook_instances[each.key] == null || can(keys(var.notebook_instances[each.key]))
      error_message = "notebook_instances[${jsonencode(each.key)}] must be a map of attributes. Write, for example, { instance_type = \"ml.t3.large\" }, or {} for the defaults."
    }

    precondition {
      condition     = length(local.unknown_notebook_attributes[each.key]) == 0
      error_message = "notebook_instances[${jsonencode(each.key)}] has no attribute ${join(" or ", local.unknown_notebook_attributes[each.key])}. Correct or remove it; the attributes are: ${join(", ", local.notebook_attribute_names)}.${contains(local.unknown_notebook_attributes[each.key], "root_access") ? " The root access is always off, since root could undo the attribution: remove root_access." : ""}"
    }

    precondition {
      condition     = length(local.wrong_notebook_attributes[each.key]) == 0
      error_message = "notebook_instances[${jsonencode(each.key)}]: ${join(", and ", local.wrong_notebook_attributes[each.key])}."
    }

    precondition {
      condition     = length(each.key) >= 2 && length(each.key) <= 63
      error_message = "notebook_instances[${jsonencode(each.key)}]: the key must have 2 to 63 characters: 63 is the limit of a notebook instance's name, and STS takes no session name of one character."
    }

    precondition {
      condition     = can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", each.key))
      error_message = "notebook_instances[${jsonencode(each.key)}]: the key must be a notebook instance's name: letters, digits, and hyphens between them (no underscore, no hyphen at either end)."
    }

    precondition {
      condition     = lower(each.key) != "sagemaker"
      error_message = "notebook_instances[${jsonencode(each.key)}]: no notebook instance may be called \"SageMaker\", in any case: that is the session name of all calls that can't be attributed. Choose another key."
    }

    precondition {
      condition     = local.notebook_names_by_lower_case[lower(each.key)][0] == each.key
      error_message = "notebook_instances[${jsonencode(each.key)}]: the keys ${join(" and ", local.notebook_names_by_lower_case[lower(each.key)])} differ only in upper and lower case, so the notebook instances would have the same ARN. Rename one."
    }

    precondition {
      condition     = can(regex("^ml\\.[a-z0-9-]+\\.[a-z0-9]+$", each.value.instance_type))
      error_message = "notebook_instances[${jsonencode(each.key)}]: instance_type must be one of SageMaker's, such as \"ml.t3.medium\", not ${jsonencode(each.value.instance_type)}."
    }

    precondition {
      condition     = each.value.volume_size >= 5 && each.value.volume_size <= 16384 && floor(each.value.volume_size) == each.value.volume_size
      error_message = "notebook_instances[${jsonencode(each.key)}]: volume_size must be a whole number of GiB from 5 to 16384, not ${each.value.volume_size}."
    }

    precondition {
      condition     = contains(["Enabled", "Disabled"], coalesce(each.value.direct_internet_access, "Enabled"))
      error_message = "notebook_instances[${jsonencode(each.key)}]: direct_internet_access must be \"Enabled\" or \"Disabled\", not ${jsonencode(each.value.direct_internet_access)}."
    }

    precondition {
      condition     = each.value.direct_internet_access != "Disabled" || each.value.subnet_id != null
      error_message = "notebook_instances[${jsonencode(each.key)}]: direct_internet_access = \"Disabled\" needs a subnet_id: without one the notebook instance would have no network at all. Add subnet_id (and security_groups)."
    }

    precondition {
      condition     = length(each.value.security_groups) <= 5
      error_message = "notebook_instances[${jsonencode(each.key)}]: security_groups must be at most 5, not ${length(each.value.security_groups)}."
    }

    precondition {
      condition     = length(each.value.security_groups) == 0 || each.value.subnet_id != null
      error_message = "notebook_instances[${jsonencode(each.key)}]: security_groups need a subnet_id of the same VPC. Add it."
    }

    precondition {
      condition     = length(each.value.additional_code_repositories) <= 3
      error_message = "notebook_instances[${jsonencode(each.key)}]: additional_code_repositories must be at most 3, not ${length(each.value.additional_code_repositories)}."
    }

    precondition {
      condition     = contains(["1", "2"], each.value.minimum_instance_metadata_service_version)
      error_message = "notebook_instances[${jsonencode(each.key)}]: minimum_instance_metadata_service_version must be \"2\" (the default) or \"1\", not ${jsonencode(each.value.minimum_instance_metadata_service_version)}."
    }

    precondition {
      condition     = can(regex("^notebook-", coalesce(each.value.platform_identifier, "notebook-"))) && !can(regex("^notebook-al[12]-", each.value.platform_identifier))
      error_message = "notebook_instances[${jsonencode(each.key)}]: platform_identifier must be null, which is AWS's default, or a notebook platform newer than Amazon Linux 2, not ${jsonencode(each.value.platform_identifier)}. Instances of Amazon Linux 1 and 2 can't be created or started any more. Remove it, or write null."
    }
  }
}
