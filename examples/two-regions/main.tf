# Notebook instances in two regions that share one execution role.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

provider "aws" {
  alias  = "ireland"
  region = "eu-west-1"
}

data "aws_partition" "current" {}

locals {
  notebooks_in_ireland = {
    churn-model = {}
  }
}

# This call creates the role and manages its policies, so it must also know the names of the other region.
module "notebooks" {
  source = "../.."

  name = "research"

  notebook_instances = {
    fraud-model = {}
  }
  additional_session_names = keys(local.notebooks_in_ireland)

  role_policy_arns = {
    s3 = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonS3ReadOnlyAccess"
  }
}

module "notebooks_in_ireland" {
  source    = "../.."
  providers = { aws = aws.ireland }

  name        = "research"
  create_role = false
  role_arn    = module.notebooks.role_arn

  # The first call manages the policies. The plan fails if that call doesn't admit a notebook instance's name, or has
  # another attribution_mode.
  shared_role = module.notebooks.shared_role

  notebook_instances = local.notebooks_in_ireland
}

output "session_arns" {
  description = "The ARN that CloudTrail shows as the caller, by notebook instance."
  value       = module.notebooks.session_arns
}
