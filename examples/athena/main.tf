# Notebook instances, and an Athena table of the CloudTrail logs that record their calls.

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

variable "trail_bucket" {
  description = "The bucket that your trail fills."
  type        = string
  default     = "audit-logs"
}

variable "results_location" {
  description = "Where Athena writes the results of queries, in a bucket of yours."
  type        = string
  default     = "s3://athena-results/notebooks/"
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}

module "attribution" {
  source = "../.."

  name = "data-science"

  notebook_instances = {
    fraud-model = {}
    churn-model = {}
  }
}

module "athena" {
  source = "../../modules/athena"

  bucket           = var.trail_bucket
  account_ids      = [data.aws_caller_identity.current.account_id]
  regions          = [var.region]
  first_day        = "2026-01-01"
  role_names       = [module.attribution.role_name]
  notebook_names   = keys(module.attribution.session_arns)
  results_location = var.results_location
}

output "role_arn" {
  description = "The execution role, for `which-notebook --inventory`."
  value       = module.attribution.role_arn
}

output "session_arns" {
  description = "The ARN that CloudTrail shows as the caller, by notebook instance."
  value       = module.attribution.session_arns
}

output "source" {
  description = "The source for `which-notebook`."
  value       = module.athena.source
}
