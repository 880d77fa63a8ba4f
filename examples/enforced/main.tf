# Notebook instances whose unattributed calls are refused, and a separate role for the jobs that they start.

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

module "notebooks" {
  source = "../.."

  name = "research"

  attribution_mode        = "imds"
  deny_unattributed_calls = true

  notebook_instances = {
    fraud-model = {}
    churn-model = {}
  }

  role_policy_arns = {
    s3   = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonS3ReadOnlyAccess"
    jobs = aws_iam_policy.start_jobs.arn
  }
}

# SageMaker opens a job's session under the name SageMaker too: with the notebooks' role, all of the job's calls would be
# refused.
resource "aws_iam_role" "jobs" {
  name        = "research-jobs"
  description = "Execution role of the training and processing jobs that the notebooks start"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "sagemaker.amazonaws.com" }
        # sts:SetSourceIdentity lets a job take over the notebook's name as its source identity.
        Action = ["sts:AssumeRole", "sts:SetSourceIdentity"]
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "jobs" {
  role       = aws_iam_role.jobs.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonS3ReadOnlyAccess"
}

resource "aws_iam_policy" "start_jobs" {
  name        = "research-start-jobs"
  description = "Lets the notebooks start jobs with the jobs' role, and with no other"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = [
          "sagemaker:CreateProcessingJob",
          "sagemaker:CreateTrainingJob",
          "sagemaker:DescribeProcessingJob",
          "sagemaker:DescribeTrainingJob",
          "sagemaker:StopProcessingJob",
          "sagemaker:StopTrainingJob",
        ]
        Resource = [
          "arn:${data.aws_partition.current.partition}:sagemaker:*:${data.aws_caller_identity.current.account_id}:processing-job/*",
          "arn:${data.aws_partition.current.partition}:sagemaker:*:${data.aws_caller_identity.current.account_id}:training-job/*",
        ]
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
