# A Studio domain whose user profiles share an execution role. CloudTrail tells the user profiles apart.

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

# A role for Studio only: with notebook instances on it, the calls of both would be made in base sessions of one role.
resource "aws_iam_role" "studio" {
  name = "studio-execution"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "SageMakerOpensSessionsForUserProfiles"
      Effect    = "Allow"
      Principal = { Service = "sagemaker.amazonaws.com" }
      # Without sts:SetSourceIdentity, no app starts in a domain that has user profiles' names turned on.
      Action = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    }]
  })
}

# Decide here what the users may do. If you allow sts:AssumeRole on other roles, also allow sts:SetSourceIdentity on them,
# and in their trust policies.
resource "aws_iam_role_policy_attachment" "s3" {
  role       = aws_iam_role.studio.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonS3ReadOnlyAccess"
}

# With these calls a user could work under another user profile's name, so deny them whatever else the role allows.
resource "aws_iam_role_policy" "keep_names" {
  name = "keep-names"
  role = aws_iam_role.studio.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "KeepUserProfilesApart"
      Effect = "Deny"
      Action = [
        "sagemaker:CreatePresignedDomainUrl",
        "sagemaker:CreateUserProfile",
        "sagemaker:UpdateDomain",
        "sagemaker:UpdateUserProfile",
      ]
      Resource = "*"
    }]
  })
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:Flow logs and where they go are for the owner of a real VPC to say.
  cidr_block           = "10.30.0.0/24"
  enable_dns_hostnames = true
  tags                 = { Name = "studio" }
}

# A resource that names no security group gets this one, and reaches nothing.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "this" {
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.30.0.0/26"
}

resource "aws_sagemaker_domain" "this" {
  #checkov:skip=CKV_AWS_187:Which key encrypts the users' files is for the owner of a real domain to say.
  domain_name = "data-science"
  auth_mode   = "IAM"
  vpc_id      = aws_vpc.this.id
  subnet_ids  = [aws_subnet.this.id]

  default_user_settings {
    execution_role = aws_iam_role.studio.arn
  }

  # The base sessions of Studio's apps carry the user profile's name as their source identity.
  domain_settings {
    execution_role_identity_config = "USER_PROFILE_NAME"
  }

  retention_policy {
    home_efs_file_system = "Delete"
  }
}

resource "aws_sagemaker_user_profile" "this" {
  for_each = toset(["anna", "ben"])

  domain_id         = aws_sagemaker_domain.this.id
  user_profile_name = each.key
}

output "domain_id" {
  description = "The domain."
  value       = aws_sagemaker_domain.this.id
}

output "role_name" {
  description = "The role's name, for `which-notebook --role`."
  value       = aws_iam_role.studio.name
}
