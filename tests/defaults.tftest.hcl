# What is created with the fewest inputs, and what the outputs say of it.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "team"
  notebook_instances = { fraud-model = {} }
}

run "plan" {
  command = plan

  assert {
    condition     = aws_iam_role.this[0].name == "team-execution" && aws_iam_role.this[0].path == "/"
    error_message = "The role must be called after `name`, at the root path."
  }

  assert {
    condition     = aws_iam_role_policy.assume_self[0].name == "team-assume-self" && aws_iam_role_policy.logs[0].name == "team-logs"
    error_message = "The policies must be called after `name`."
  }

  assert {
    condition     = length(aws_iam_role_policy.deny_unattributed_calls) == 0 && length(aws_iam_role_policy.protect_role) == 0
    error_message = "Nothing must be denied that wasn't asked for."
  }

  assert {
    condition     = aws_sagemaker_notebook_instance_lifecycle_configuration.this.name == "team-attribution"
    error_message = "The lifecycle configuration must be called after `name`."
  }

  assert {
    condition     = startswith(base64decode(aws_sagemaker_notebook_instance_lifecycle_configuration.this.on_start), "#!/bin/bash\n")
    error_message = "The lifecycle configuration must hold a bash script."
  }

  assert {
    condition = jsonencode({ for argument in ["root_access", "instance_type", "volume_size", "lifecycle_config_name", "subnet_id"] : argument => aws_sagemaker_notebook_instance.this["fraud-model"][argument] }) == jsonencode({
      root_access           = "Disabled"
      instance_type         = "ml.t3.medium"
      volume_size           = 5
      lifecycle_config_name = "team-attribution"
      subnet_id             = null
    })
    error_message = "A notebook instance must have the documented defaults, and no root access."
  }

  assert {
    condition     = aws_sagemaker_notebook_instance.this["fraud-model"].instance_metadata_service_configuration[0].minimum_instance_metadata_service_version == "2"
    error_message = "The metadata service must take version 2 only."
  }
}

run "apply" {
  assert {
    condition     = output.role_arn == "arn:aws:iam::111122223333:role/team-execution"
    error_message = "The ARN of the role must follow from its name."
  }

  assert {
    condition     = output.session_arns == { fraud-model = "arn:aws:sts::111122223333:assumed-role/team-execution/fraud-model" }
    error_message = "CloudTrail must show the notebook instance's name as the session's."
  }

  assert {
    condition     = output.notebook_instances["fraud-model"].session_arn == output.session_arns["fraud-model"]
    error_message = "A notebook instance must say which session is its own."
  }

  assert {
    condition     = output.role_trust_policy == aws_iam_role.this[0].assume_role_policy
    error_message = "The output must be the trust policy that the role has."
  }
}

run "imds_mode" {
  command = plan

  variables {
    attribution_mode = "imds"
  }

  assert {
    condition     = length(aws_iam_role_policy.protect_role) == 1
    error_message = "In imds mode the role must be kept from passing itself."
  }

  assert {
    condition     = length(aws_sagemaker_notebook_instance_lifecycle_configuration.this.on_start) <= 16384
    error_message = "The script of the imds mode must fit."
  }
}
