# Every value that a variable's own validation refuses: several variables in a run, each of which has to fail.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "team"
}

run "first_values" {
  command = plan

  variables {
    name                         = "data_science"
    notebook_instances           = ["one"]
    create_role                  = false
    role_arn                     = "shared"
    role_name                    = "a/b"
    policy_name                  = "a b"
    lifecycle_configuration_name = "team-"
    role_path                    = "data"
    role_permissions_boundary    = "boundary"
    additional_session_names     = ["x"]
    session_name_policies        = [["a*"]]
    attribution_mode             = "proxy"
    unattributed_allowed_actions = ["*"]
  }

  expect_failures = [
    var.name,
    var.notebook_instances,
    var.role_arn,
    var.role_name,
    var.policy_name,
    var.lifecycle_configuration_name,
    var.role_path,
    var.role_permissions_boundary,
    var.additional_session_names,
    var.session_name_policies,
    var.attribution_mode,
    var.unattributed_allowed_actions,
  ]
}

run "second_values" {
  command = plan

  variables {
    name                         = ""
    create_role                  = false
    role_arn                     = "arn:aws:sts::111122223333:assumed-role/r/s"
    lifecycle_configuration_name = join("", [for _ in range(64) : "n"])
    role_path                    = "/a*/"
    additional_session_names     = ["$${aws:userid}"]
    session_name_policies        = [["a"], ["ab"]]
    unattributed_allowed_actions = ["PutLogEvents"]
  }

  expect_failures = [
    var.name,
    var.role_arn,
    var.lifecycle_configuration_name,
    var.role_path,
    var.additional_session_names,
    var.session_name_policies,
    var.unattributed_allowed_actions,
  ]
}

run "third_values" {
  command = plan

  variables {
    name                     = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
    additional_session_names = ["*"]
    session_name_policies    = [[]]
  }

  expect_failures = [
    var.name,
    var.additional_session_names,
    var.session_name_policies,
  ]
}

run "fourth_values" {
  command = plan

  variables {
    additional_session_names = ["sagemaker"]
  }

  expect_failures = [
    var.additional_session_names,
  ]
}
