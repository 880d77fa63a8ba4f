# An existing execution role, and notebook instances that were created outside the module.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

variable "region" {
  description = "Region of all resources of this example."
  type        = string
  default     = "us-east-1"
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  role_name = "AmazonSageMaker-ExecutionRole"
  role_path = "/service-role/"
  role_arn  = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role${local.role_path}${local.role_name}"
}

# The trust policy that the role needs. It contains no notebook names.
module "trust_policy" {
  source = "../../modules/trust-policy"

  role_arn = local.role_arn
}

# Stands for your existing role.
resource "aws_iam_role" "existing" {
  name               = local.role_name
  path               = local.role_path
  assume_role_policy = module.trust_policy.json
}

module "attribution" {
  source = "../.."

  name        = "shared"
  create_role = false
  role_arn    = aws_iam_role.existing.arn

  notebook_instances = {
    forecasting = {}
  }

  # Notebook instances outside the module that use the same role: `quarterly-report`, and all names that begin with `team-a-`.
  additional_session_names = ["quarterly-report", "team-a-*"]
}

# Such a notebook instance takes part by using the module's lifecycle configuration.
resource "aws_sagemaker_notebook_instance" "outside" {
  #checkov:skip=CKV_AWS_22:It stands for a notebook instance that is there already, whatever its key.
  #checkov:skip=CKV_AWS_187:It stands for a notebook instance that is there already, whatever its key.
  #checkov:skip=CKV_AWS_306:It stands for a notebook instance that is there already, whatever its network.
  name                  = "quarterly-report"
  role_arn              = aws_iam_role.existing.arn
  instance_type         = "ml.t3.medium"
  root_access           = "Disabled"
  lifecycle_config_name = module.attribution.lifecycle_configuration_name

  instance_metadata_service_configuration {
    minimum_instance_metadata_service_version = "2"
  }
}

output "session_arns" {
  description = "The ARN that CloudTrail shows as the caller, by notebook instance."
  value       = module.attribution.session_arns
}
