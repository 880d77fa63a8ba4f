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
