# A notebook instance without internet access: the on-start script needs no network.

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

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:Flow logs and where they go are for the owner of a real VPC to say.
  cidr_block           = "10.20.0.0/24"
  enable_dns_hostnames = true
  tags                 = { Name = "notebooks" }
}

# A resource that names no security group gets this one, and reaches nothing.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "this" {
  vpc_id     = aws_vpc.this.id
  cidr_block = "10.20.0.0/26"
}

resource "aws_security_group" "notebooks" {
  name_prefix = "notebooks-"
  description = "Notebook instances: they reach the endpoints of this VPC, and nothing reaches them"
  vpc_id      = aws_vpc.this.id

  egress {
    description = "HTTPS within the VPC"
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = [aws_vpc.this.cidr_block]
  }
}

resource "aws_security_group" "endpoints" {
  name_prefix = "endpoints-"
  description = "Interface endpoints: HTTPS from the notebook instances"
  vpc_id      = aws_vpc.this.id

  ingress {
    description     = "HTTPS from the notebook instances"
    protocol        = "tcp"
    from_port       = 443
    to_port         = 443
    security_groups = [aws_security_group.notebooks.id]
  }
}

# The one endpoint that attribution itself needs, when the notebook makes its first call.
resource "aws_vpc_endpoint" "sts" {
  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${var.region}.sts"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [aws_subnet.this.id]
  security_group_ids  = [aws_security_group.endpoints.id]
}

module "notebooks" {
  source = "../.."

  name = "private"

  notebook_instances = {
    patient-records = {
      subnet_id              = aws_subnet.this.id
      security_groups        = [aws_security_group.notebooks.id]
      direct_internet_access = "Disabled"
    }
  }
}

output "session_arns" {
  description = "The ARN that CloudTrail shows as the caller, by notebook instance."
  value       = module.notebooks.session_arns
}
