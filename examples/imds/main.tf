# Notebook instances in imds mode, and a separate role for the jobs that they start.

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

data "aws_caller_identity" "current" {}

locals {
  partition = data.aws_partition.current.partition
  sagemaker = "arn:${local.partition}:sagemaker:*:${data.aws_caller_identity.current.account_id}"
}

module "notebooks" {
  source = "../.."

  name = "forecasts"

  attribution_mode = "imds"

  notebook_instances = {
    demand-model = {}
    price-model  = {}
  }

  role_policy_arns = {
    s3   = "arn:${local.partition}:iam::aws:policy/AmazonS3ReadOnlyAccess"
    jobs = aws_iam_policy.start_jobs.arn
  }
}

# In imds mode the notebooks may not pass their own role: nobody could tell whose calls a job with that role makes.
resource "aws_iam_role" "jobs" {
  name        = "forecasts-jobs"
  description = "Execution role of the training jobs that the notebooks start"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "sagemaker.amazonaws.com" }
        # A job takes over the notebook's name as its source identity. Without sts:SetSourceIdentity, it can't be created.
        Action = ["sts:AssumeRole", "sts:SetSourceIdentity"]
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "jobs" {
  role       = aws_iam_role.jobs.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/AmazonS3ReadOnlyAccess"
}

resource "aws_iam_policy" "start_jobs" {
  name        = "forecasts-start-jobs"
  description = "Lets the notebooks start training jobs with the jobs' role, and with no other"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"]
        Resource = "${local.sagemaker}:training-job/*"
      },
      {
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = aws_iam_role.jobs.arn
        Condition = { StringEquals = { "iam:PassedToService" = "sagemaker.amazonaws.com" } }
      },
    ]
  })
}

output "job_role_arn" {
  description = "The role to name in a job's definition."
  value       = aws_iam_role.jobs.arn
}

output "session_arns" {
  description = "The ARN that CloudTrail shows as the caller, by notebook instance."
  value       = module.notebooks.session_arns
}
