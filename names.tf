# What the role, its inline policies and the lifecycle configuration are called.

# Its `region` is the provider's region. `aws_region` has no attribute that both major versions of the provider take
# without a warning.
data "aws_service" "sagemaker" {
  service_id = "sagemaker"
}

locals {
  role_name = var.create_role ? coalesce(var.role_name, "${var.name}-execution") : try(reverse(split("/", var.role_arn))[0], "")

  # A role has one place for an inline policy of a name, in all regions, and several calls may share an existing role.
  # A region has one lifecycle configuration of a name, so a policy's name is made of both. No `name` has a dot.
  policy_prefix                = var.create_role || var.lifecycle_configuration_name == null ? "${var.name}-" : "${var.lifecycle_configuration_name}."
  policy_suffix                = var.create_role ? "" : "-${data.aws_service.sagemaker.region}"
  assume_self_name             = coalesce(var.policy_name, "${local.policy_prefix}assume-self${local.policy_suffix}")
  deny_policy_name             = "${local.policy_prefix}deny-unattributed-calls${local.policy_suffix}"
  protect_policy_name          = "${local.policy_prefix}protect-role${local.policy_suffix}"
  logs_policy_name             = "${local.policy_prefix}logs${local.policy_suffix}"
  lifecycle_configuration_name = coalesce(var.lifecycle_configuration_name, "${var.name}-attribution")
}
