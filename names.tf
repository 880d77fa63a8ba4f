# What the role, its inline policies and the lifecycle configuration are called.

# Its `region` is the provider's region. `aws_region` has no attribute that both major versions of the provider take
# without a warning.
data "aws_service" "sagemaker" {
  service_id = "sagemaker"
}

locals {
  role_name = var.create_role ? coalesce(var.role_name, "${var.name}-execution") : try(reverse(split("/", var.role_arn))[0], "")

  # A role has one place for an inline policy of a name, in all regions: calls of one name in two regions would write
  # the same one.
  policy_suffix                = var.create_role ? "" : "-${data.aws_service.sagemaker.region}"
  assume_self_name             = coalesce(var.policy_name, "${var.name}-assume-self${local.policy_suffix}")
  deny_policy_name             = "${var.name}-deny-unattributed-calls${local.policy_suffix}"
  protect_policy_name          = "${var.name}-protect-role${local.policy_suffix}"
  logs_policy_name             = "${var.name}-logs${local.policy_suffix}"
  lifecycle_configuration_name = coalesce(var.lifecycle_configuration_name, "${var.name}-attribution")
}
