# A configuration that uses the module, with a test of its own beside it that uses the module's mocks: docs/testing.md.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

data "aws_iam_policy_document" "figures" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::quarterly-figures/*"]
  }
}

resource "aws_iam_policy" "figures" {
  name   = "read-figures"
  policy = data.aws_iam_policy_document.figures.json
}

module "notebooks" {
  source = "../.."

  name               = "finance"
  notebook_instances = { forecast = {} }
  role_policy_arns   = { figures = aws_iam_policy.figures.arn }
}

output "session_arns" {
  description = "The ARN that CloudTrail shows as the caller, by notebook instance."
  value       = module.notebooks.session_arns
}
