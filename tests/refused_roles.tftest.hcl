# Every combination of inputs about the role that is refused, each by itself.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "team"
}

run "role_arn_for_a_created_role" {
  command = plan

  variables {
    role_arn = "arn:aws:iam::111122223333:role/existing"
  }

  expect_failures = [aws_iam_role.this]
}

run "created_role_without_its_policies" {
  command = plan

  variables {
    shared_role = { attribution_mode = "profile", session_names = ["one"] }
  }

  expect_failures = [aws_iam_role.this]
}

run "names_beyond_the_quota" {
  command = plan

  variables {
    additional_session_names = [for number in range(500) : "notebook-${number}-of-a-long-name"]
  }

  expect_failures = [aws_iam_role_policy.assume_self]
}

run "names_beyond_the_quota_of_a_managed_policy" {
  command = plan

  variables {
    additional_session_names = [for number in range(500) : "notebook-${number}-of-a-long-name"]
    session_name_policies    = [["a"], ["n"]]
  }

  expect_failures = [aws_iam_policy.session_names]
}

run "managed_policies_of_names_where_others_are_not_denied" {
  command = plan

  variables {
    deny_unknown_session_names = false
    session_name_policies      = [["a"]]
  }

  expect_failures = [aws_iam_role_policy.assume_self]
}

run "attached_policy_without_its_arn" {
  command = plan

  variables {
    role_policy_arns = { s3 = "AmazonS3ReadOnlyAccess" }
  }

  expect_failures = [aws_iam_role_policy_attachment.this]
}

run "policy_name_on_an_existing_role" {
  command = plan

  variables {
    create_role = false
    role_arn    = "arn:aws:iam::111122223333:role/existing"
    policy_name = "mine"
  }

  expect_failures = [aws_iam_role_policy.assume_self]
}

run "denied_calls_with_notebooks_outside" {
  command = plan

  variables {
    deny_unattributed_calls  = true
    additional_session_names = ["outside"]
  }

  expect_failures = [aws_iam_role_policy.deny_unattributed_calls]
}

run "allowed_what_is_not_denied" {
  command = plan

  variables {
    allow_pass_role = true
  }

  expect_failures = [check.all_inputs_have_an_effect]
}

run "existing_role_without_its_arn" {
  command = plan

  variables {
    create_role = false
  }

  expect_failures = [data.aws_iam_role.existing]
}

run "existing_role_of_another_account" {
  command = plan

  variables {
    create_role = false
    role_arn    = "arn:aws:iam::444455556666:role/existing"
  }

  expect_failures = [data.aws_iam_role.existing]
}

run "existing_role_of_another_path" {
  command = plan

  variables {
    create_role = false
    role_arn    = "arn:aws:iam::111122223333:role/elsewhere/existing"
  }

  expect_failures = [data.aws_iam_role.existing]
}

run "another_calls_role_without_its_arn" {
  command = plan

  variables {
    create_role = false
    shared_role = { attribution_mode = "profile", session_names = ["one"] }
  }

  expect_failures = [output.role_arn]
}

run "another_calls_role_of_another_account" {
  command = plan

  variables {
    create_role = false
    shared_role = { attribution_mode = "profile", session_names = ["one"] }
    role_arn    = "arn:aws:iam::444455556666:role/existing"
  }

  expect_failures = [output.role_arn]
}

run "role_name_of_an_existing_role" {
  command = plan

  variables {
    create_role = false
    role_arn    = "arn:aws:iam::111122223333:role/existing"
    role_name   = "mine"
  }

  expect_failures = [output.role_name]
}

run "another_calls_policies_changed_here" {
  command = plan

  variables {
    create_role             = false
    role_arn                = "arn:aws:iam::111122223333:role/existing"
    shared_role             = { attribution_mode = "profile", session_names = ["one"] }
    deny_unattributed_calls = true
  }

  expect_failures = [output.session_arns]
}

run "another_calls_role_in_another_mode" {
  command = plan

  variables {
    create_role      = false
    role_arn         = "arn:aws:iam::111122223333:role/existing"
    shared_role      = { attribution_mode = "profile", session_names = ["one"] }
    attribution_mode = "imds"
  }

  expect_failures = [output.session_arns]
}

run "name_that_another_call_does_not_admit" {
  command = plan

  variables {
    create_role        = false
    role_arn           = "arn:aws:iam::111122223333:role/existing"
    shared_role        = { attribution_mode = "profile", session_names = ["one"] }
    notebook_instances = { other = {} }
  }

  expect_failures = [output.session_arns]
}
