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

  notebook_instance_names = tomap({ for name in keys(var.notebook_instances) : name => name })

  notebook_names_by_lower_case = { for name in keys(var.notebook_instances) : lower(name) => name... }

  # Not a precondition for each, since Terraform takes longer to get at one than to decide it. What is unknown at plan hides
  # the other problems of its list: what often is unknown has preconditions of its own.
  notebook_problems = { for name, notebook in local.notebook_instances : name => {
    names = concat(
      length(local.unknown_notebook_attributes[name]) == 0 ? [] : [" has no attribute ${join(" or ", local.unknown_notebook_attributes[name])}. Correct or remove it; the attributes are: ${join(", ", local.notebook_attribute_names)}.${contains(local.unknown_notebook_attributes[name], "root_access") ? " Root access is always off, since root could undo the attribution: remove root_access." : ""}"],
      length(name) >= 2 && length(name) <= 63 ? [] : [": the key must have 2 to 63 characters: 63 is the limit of a notebook instance's name, and STS accepts no session name of one character."],
      can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", name)) ? [] : [": the key must be a notebook instance's name: letters, digits, and hyphens between them (no underscore, no hyphen at either end)."],
      lower(name) != "sagemaker" ? [] : [": no notebook instance may be called \"SageMaker\", in any case: unattributed calls have that session name. Choose another key."],
      local.notebook_names_by_lower_case[lower(name)][0] == name ? [] : [": the keys ${join(" and ", local.notebook_names_by_lower_case[lower(name)])} differ only in upper and lower case, so the notebook instances would have the same ARN. Rename one."],
    )
    values = concat(
      can(regex("^ml\\.[a-z0-9-]+\\.[a-z0-9]+$", notebook.instance_type)) ? [] : [": instance_type must be a SageMaker instance type, such as \"ml.t3.medium\", not ${jsonencode(notebook.instance_type)}."],
      notebook.volume_size >= 5 && notebook.volume_size <= 16384 && floor(notebook.volume_size) == notebook.volume_size ? [] : [": volume_size must be a whole number of GiB from 5 to 16384, not ${notebook.volume_size}."],
      contains(["Enabled", "Disabled"], coalesce(notebook.direct_internet_access, "Enabled")) ? [] : [": direct_internet_access must be \"Enabled\" or \"Disabled\", not ${jsonencode(notebook.direct_internet_access)}."],
      contains(["1", "2"], notebook.minimum_instance_metadata_service_version) ? [] : [": minimum_instance_metadata_service_version must be \"2\" (the default) or \"1\", not ${jsonencode(notebook.minimum_instance_metadata_service_version)}."],
      can(regex("^notebook-", coalesce(notebook.platform_identifier, "notebook-"))) && !can(regex("^notebook-al[12]-", notebook.platform_identifier)) ? [] : [": platform_identifier must be null, which is AWS's default, or a notebook platform newer than Amazon Linux 2, not ${jsonencode(notebook.platform_identifier)}. Instances of Amazon Linux 1 and 2 can't be created or started any more. Remove it, or write null."],
    )
  } }
}
