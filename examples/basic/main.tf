# Two notebook instances that share one execution role, each told apart in CloudTrail.

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

data "aws_partition" "current" {}

module "notebooks" {
  source = "../.."

  name = "data-science"

  notebook_instances = {
    fraud-model = {}
    churn-model = { instance_type = "ml.t3.large", volume_size = 20 }
  }

  # Decide here what the notebooks may do.
  role_policy_arns = {
    s3 = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonS3ReadOnlyAccess"
  }

  tags = { team = "data-science" }
}

output "session_arns" {
  description = "The ARN that CloudTrail shows as the caller, by notebook instance."
  value       = module.notebooks.session_arns
}

output "notebook_urls" {
  description = "The URL of each notebook instance."
  value       = { for name, notebook in module.notebooks.notebook_instances : name => notebook.url }
}
