# Every notebook instance, profile and script that is refused, each by itself.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "team"
}

run "attributes_as_a_text" {
  command = plan

  variables {
    notebook_instances = { one = "ml.t3.large" }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "attribute_that_is_misspelt" {
  command = plan

  variables {
    notebook_instances = { one = { instace_type = "ml.t3.large" } }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "root_access" {
  command = plan

  variables {
    notebook_instances = { one = { root_access = "Enabled" } }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "attribute_of_a_wrong_type" {
  command = plan

  variables {
    notebook_instances = { one = { volume_size = "ten" } }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "key_of_one_character" {
  command = plan

  variables {
    notebook_instances = { a = {} }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "key_with_an_underscore" {
  command = plan

  variables {
    notebook_instances = { my_notebook = {} }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "key_that_is_the_base_sessions" {
  command = plan

  variables {
    notebook_instances = { SAGEMAKER = {} }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "keys_that_differ_in_case_only" {
  command = plan

  variables {
    notebook_instances = { Other = {}, other = {} }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "instance_type_without_ml" {
  command = plan

  variables {
    notebook_instances = { one = { instance_type = "t3.medium" } }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "volume_size_of_4" {
  command = plan

  variables {
    notebook_instances = { one = { volume_size = 4 } }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "volume_size_of_a_half" {
  command = plan

  variables {
    notebook_instances = { one = { volume_size = 5.5 } }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "direct_internet_access_that_is_unknown" {
  command = plan

  variables {
    notebook_instances = { one = { direct_internet_access = "disabled" } }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "no_network_at_all" {
  command = plan

  variables {
    notebook_instances = { one = { direct_internet_access = "Disabled" } }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "six_security_groups" {
  command = plan

  variables {
    notebook_instances = { one = { subnet_id = "subnet-1", security_groups = ["a", "b", "c", "d", "e", "f"] } }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "security_groups_without_a_subnet" {
  command = plan

  variables {
    notebook_instances = { one = { security_groups = ["sg-1"] } }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "four_code_repositories" {
  command = plan

  variables {
    notebook_instances = { one = { additional_code_repositories = ["a", "b", "c", "d"] } }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "metadata_service_version_3" {
  command = plan

  variables {
    notebook_instances = { one = { minimum_instance_metadata_service_version = "3" } }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "amazon_linux_2" {
  command = plan

  variables {
    notebook_instances = { one = { platform_identifier = "notebook-al2-v3" } }
  }

  expect_failures = [aws_sagemaker_notebook_instance.this]
}

run "profile_called_default" {
  command = plan

  variables {
    profiles = { default = {} }
  }

  expect_failures = [aws_sagemaker_notebook_instance_lifecycle_configuration.this]
}

run "profile_with_another_session_name" {
  command = plan

  variables {
    profiles = { east = { role_session_name = "colleague" } }
  }

  expect_failures = [aws_sagemaker_notebook_instance_lifecycle_configuration.this]
}

run "profile_with_two_lines_in_a_value" {
  command = plan

  variables {
    profiles = { east = { region = "us-east-1\ncredential_process = id" } }
  }

  expect_failures = [aws_sagemaker_notebook_instance_lifecycle_configuration.this]
}

run "on_start_script_that_is_too_long" {
  command = plan

  variables {
    extra_on_start = join("", [for _ in range(1024) : "############"])
  }

  expect_failures = [aws_sagemaker_notebook_instance_lifecycle_configuration.this]
}

run "on_create_script_that_is_too_long" {
  command = plan

  variables {
    on_create = join("", [for _ in range(1024) : "#############"])
  }

  expect_failures = [aws_sagemaker_notebook_instance_lifecycle_configuration.this]
}

run "profiles_that_leave_no_room" {
  command = plan

  variables {
    profiles = { for number in range(300) : "profile-${number}" => {} }
  }

  expect_failures = [aws_sagemaker_notebook_instance_lifecycle_configuration.this]
}
