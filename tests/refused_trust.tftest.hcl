# Trust policies of an existing role: refused by default, warned of with verify_role_trust = false.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name        = "team"
  create_role = false
  role_arn    = "arn:aws:iam::111122223333:role/existing"
}

run "no_trust_in_itself" {
  command = plan

  override_data {
    target = data.aws_iam_role.existing
    values = {
      arn                = "arn:aws:iam::111122223333:role/existing"
      assume_role_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
      tags               = {}
    }
  }

  expect_failures = [aws_iam_role_policy.assume_self]
}

run "no_trust_in_itself_unverified" {
  command = plan

  variables {
    verify_role_trust = false
  }

  override_data {
    target = data.aws_iam_role.existing
    values = {
      arn                = "arn:aws:iam::111122223333:role/existing"
      assume_role_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
      tags               = {}
    }
  }

  expect_failures = [check.existing_role_trusts_itself]
}

run "trust_in_every_session" {
  command = plan

  override_data {
    target = data.aws_iam_role.existing
    values = {
      arn                = "arn:aws:iam::111122223333:role/existing"
      assume_role_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"},\"Action\":\"sts:AssumeRole\",\"Condition\":{\"StringEquals\":{\"aws:PrincipalArn\":\"arn:aws:iam::111122223333:role/existing\"},\"StringLike\":{\"aws:userid\":\"*:SageMaker\"}}},{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"},\"Action\":\"sts:AssumeRole\"}]}"
      tags               = {}
    }
  }

  expect_failures = [aws_iam_role_policy.assume_self]
}

run "trust_in_every_session_unverified" {
  command = plan

  variables {
    verify_role_trust = false
  }

  override_data {
    target = data.aws_iam_role.existing
    values = {
      arn                = "arn:aws:iam::111122223333:role/existing"
      assume_role_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"},\"Action\":\"sts:AssumeRole\",\"Condition\":{\"StringEquals\":{\"aws:PrincipalArn\":\"arn:aws:iam::111122223333:role/existing\"},\"StringLike\":{\"aws:userid\":\"*:SageMaker\"}}},{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"},\"Action\":\"sts:AssumeRole\"}]}"
      tags               = {}
    }
  }

  expect_failures = [check.existing_role_keeps_notebooks_apart]
}

run "trust_that_is_not_judged" {
  command = plan

  override_data {
    target = data.aws_iam_role.existing
    values = {
      arn                = "arn:aws:iam::111122223333:role/existing"
      assume_role_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"},\"Action\":\"sts:AssumeRole\",\"Condition\":{\"StringEquals\":{\"aws:PrincipalArn\":\"arn:aws:iam::111122223333:role/existing\"},\"StringLike\":{\"aws:userid\":\"*:SageMaker\"}}},{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"sts:TagSession\"}]}"
      tags               = {}
    }
  }

  expect_failures = [aws_iam_role_policy.assume_self]
}

run "trust_that_is_not_judged_unverified" {
  command = plan

  variables {
    verify_role_trust = false
  }

  override_data {
    target = data.aws_iam_role.existing
    values = {
      arn                = "arn:aws:iam::111122223333:role/existing"
      assume_role_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"},\"Action\":\"sts:AssumeRole\",\"Condition\":{\"StringEquals\":{\"aws:PrincipalArn\":\"arn:aws:iam::111122223333:role/existing\"},\"StringLike\":{\"aws:userid\":\"*:SageMaker\"}}},{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"sts:TagSession\"}]}"
      tags               = {}
    }
  }

  expect_failures = [check.existing_role_trust_is_judged]
}

run "role_of_another_call" {
  command = plan

  override_data {
    target = data.aws_iam_role.existing
    values = {
      arn                = "arn:aws:iam::111122223333:role/existing"
      assume_role_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"},\"Action\":\"sts:AssumeRole\",\"Condition\":{\"StringEquals\":{\"aws:PrincipalArn\":\"arn:aws:iam::111122223333:role/existing\"},\"StringLike\":{\"aws:userid\":\"*:SageMaker\"}}}]}"
      tags               = { "notebook-attribution:admits-names-of" = "other" }
    }
  }

  expect_failures = [data.aws_iam_role.existing]
}
