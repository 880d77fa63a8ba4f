# What the AWS provider's data sources and resources return in `terraform test` and `tofu test`, where a made-up text isn't
# good enough: ARNs that the provider takes, and policies that are JSON. For this module's tests, and for yours
# (docs/testing.md).

mock_data "aws_caller_identity" {
  defaults = {
    account_id = "111122223333"
    arn        = "arn:aws:iam::111122223333:user/tester"
    user_id    = "AIDAIOSFODNN7EXAMPLE"
  }
}

mock_data "aws_partition" {
  defaults = {
    partition          = "aws"
    dns_suffix         = "amazonaws.com"
    reverse_dns_prefix = "com.amazonaws"
  }
}

mock_data "aws_region" {
  defaults = {
    name = "us-east-1"
  }
}

mock_data "aws_service" {
  defaults = {
    partition = "aws"
    region    = "us-east-1"
  }
}

mock_data "aws_iam_policy_document" {
  defaults = {
    json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
  }
}

# An existing role that trusts itself as the module asks.
mock_data "aws_iam_role" {
  defaults = {
    arn                = "arn:aws:iam::111122223333:role/existing"
    unique_id          = "AROAIOSFODNN7EXAMPLE"
    assume_role_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"SageMakerOpensBaseSession\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"sagemaker.amazonaws.com\"},\"Action\":[\"sts:AssumeRole\",\"sts:SetSourceIdentity\"]},{\"Sid\":\"BaseSessionOpensNotebookSessions\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"},\"Action\":[\"sts:AssumeRole\",\"sts:SetSourceIdentity\"],\"Condition\":{\"StringEquals\":{\"aws:PrincipalArn\":\"arn:aws:iam::111122223333:role/existing\"},\"StringLike\":{\"aws:userid\":\"*:SageMaker\"}}}]}"
    tags               = {}
  }
}

mock_resource "aws_iam_role" {
  defaults = {
    arn       = "arn:aws:iam::111122223333:role/mocked"
    unique_id = "AROAIOSFODNN7EXAMPLE"
  }
}

mock_resource "aws_iam_policy" {
  defaults = {
    arn = "arn:aws:iam::111122223333:policy/mocked"
  }
}

mock_resource "aws_sagemaker_notebook_instance_lifecycle_configuration" {
  defaults = {
    arn = "arn:aws:sagemaker:us-east-1:111122223333:notebook-instance-lifecycle-config/mocked"
  }
}

mock_resource "aws_sagemaker_notebook_instance" {
  defaults = {
    arn                  = "arn:aws:sagemaker:us-east-1:111122223333:notebook-instance/mocked"
    url                  = "mocked.notebook.us-east-1.sagemaker.aws"
    network_interface_id = "eni-0123456789abcdef0"
  }
}
