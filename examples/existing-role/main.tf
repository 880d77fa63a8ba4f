# An execution role that exists already, and notebook instances that were made outside the module.

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
  description = "Region of everything here."
  type        = string
  default     = "us-east-1"
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Stands for the role that you have. Its trust policy needs the second statement, once, whatever the notebooks are
# called; `terraform plan` prints it as a warning where it is missing.
resource "aws_iam_role" "existing" {
  name = "AmazonSageMaker-ExecutionRole"
  path = "/service-role/"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "sagemaker.amazonaws.com" }
        Action    = "sts:AssumeRole"
      },
      {
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:PrincipalArn" = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/service-role/AmazonSageMaker-ExecutionRole" }
          StringLike   = { "aws:userid" = "*:SageMaker" }
        }
      },
    ]
  })
}

module "attribution" {
  source = "../.."

  name        = "shared"
  create_role = false
  role_arn    = aws_iam_role.existing.arn

  notebook_instances = {
    forecasting = {}
  }

  # Notebook instances outside the module that use the same role: `quarterly-report`, and all that begin with `team-a-`.
  additional_session_names = ["quarterly-report", "team-a-*"]
}

# Such a notebook instance takes part by using the module's lifecycle configuration.
resource "aws_sagemaker_notebook_instance" "outside" {
  name                  = "quarterly-report"
  role_arn              = aws_iam_role.existing.arn
  instance_type         = "ml.t3.medium"
  root_access           = "Disabled"
  lifecycle_config_name = module.attribution.lifecycle_configuration_name

  instance_metadata_service_configuration {
    minimum_instance_metadata_service_version = "2"
  }
}

output "role_trust_policy" {
  description = "The trust policy that the existing role must have."
  value       = module.attribution.role_trust_policy
}

output "session_arns" {
  description = "What CloudTrail shows as the caller, by notebook instance."
  value       = module.attribution.session_arns
}
