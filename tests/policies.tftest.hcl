# The policies, to the letter: who may assume the role, under which names, and what is denied.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                     = "team"
  notebook_instances       = { fraud-model = {} }
  additional_session_names = ["team-a-*"]
}

run "trust_and_names" {
  command = plan

  assert {
    condition = jsonencode(jsondecode(aws_iam_role.this[0].assume_role_policy)) == jsonencode({
      Version = "2012-10-17"
      Statement = [
        {
          Sid       = "SageMakerOpensBaseSession"
          Effect    = "Allow"
          Principal = { Service = "sagemaker.amazonaws.com" }
          Action    = ["sts:AssumeRole", "sts:SetSourceIdentity"]
        },
        {
          Sid       = "BaseSessionOpensNotebookSessions"
          Effect    = "Allow"
          Principal = { AWS = "arn:aws:iam::111122223333:root" }
          Action    = ["sts:AssumeRole", "sts:SetSourceIdentity"]
          Condition = {
            StringEquals = { "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/team-execution" }
            StringLike   = { "aws:userid" = "*:SageMaker" }
          }
        },
      ]
    })
    error_message = "The trust policy must let SageMaker in, and the base session of this very role."
  }

  assert {
    condition = jsonencode(jsondecode(aws_iam_role_policy.assume_self[0].policy).Statement) == jsonencode([
      {
        Sid      = "OpenNotebookSessions"
        Effect   = "Allow"
        Action   = ["sts:AssumeRole", "sts:SetSourceIdentity"]
        Resource = "arn:aws:iam::111122223333:role/team-execution"
      },
      {
        Sid       = "UnderKnownNamesOnly"
        Effect    = "Deny"
        Action    = "sts:AssumeRole"
        Resource  = "arn:aws:iam::111122223333:role/team-execution"
        Condition = { StringNotLike = { "sts:RoleSessionName" = ["fraud-model", "team-a-*"] } }
      },
      {
        Sid      = "SourceIdentityIsTheSessionName"
        Effect   = "Deny"
        Action   = "sts:AssumeRole"
        Resource = "arn:aws:iam::111122223333:role/team-execution"
        Condition = {
          Null            = { "sts:SourceIdentity" = "false" }
          StringNotEquals = { "sts:SourceIdentity" = "$${sts:RoleSessionName}" }
        }
      },
      {
        Sid       = "NotFromASessionWithSourceIdentity"
        Effect    = "Deny"
        Action    = "sts:AssumeRole"
        Resource  = "arn:aws:iam::111122223333:role/team-execution"
        Condition = { Null = { "aws:SourceIdentity" = "false" } }
      },
      {
        Sid      = "FindOwnRole"
        Effect   = "Allow"
        Action   = "sagemaker:DescribeNotebookInstance"
        Resource = "arn:aws:sagemaker:*:111122223333:notebook-instance/*"
      },
    ])
    error_message = "The role must be able to assume itself under the known names, and under no other."
  }

  assert {
    condition = jsonencode(jsondecode(aws_iam_role_policy.logs[0].policy).Statement) == jsonencode([
      {
        Sid      = "WriteNotebookLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = "arn:aws:logs:*:111122223333:log-group:/aws/sagemaker/NotebookInstances*"
      },
    ])
    error_message = "The logs' policy must allow the notebook instances' logs and nothing else."
  }
}

run "no_names" {
  command = plan

  variables {
    notebook_instances       = {}
    additional_session_names = []
  }

  assert {
    condition = jsonencode([for statement in jsondecode(aws_iam_role_policy.assume_self[0].policy).Statement : statement if statement.Sid == "UnderKnownNamesOnly"]) == jsonencode([
      {
        Sid      = "UnderKnownNamesOnly"
        Effect   = "Deny"
        Action   = "sts:AssumeRole"
        Resource = "arn:aws:iam::111122223333:role/team-execution"
      },
    ])
    error_message = "Without names, no session at all may be opened."
  }
}

run "denied" {
  command = plan

  variables {
    deny_unattributed_calls          = true
    outside_notebooks_are_attributed = true
    unattributed_allowed_actions     = ["logs:*"]
  }

  assert {
    condition = jsonencode(jsondecode(aws_iam_role_policy.deny_unattributed_calls[0].policy).Statement) == jsonencode([
      {
        Sid       = "BaseSessionMayDoNothingElse"
        Effect    = "Deny"
        NotAction = ["sts:AssumeRole", "sts:SetSourceIdentity", "logs:*"]
        Resource  = "*"
        Condition = { StringLike = { "aws:userid" = "*:SageMaker" } }
      },
      {
        Sid         = "BaseSessionMayAssumeNoOtherRole"
        Effect      = "Deny"
        Action      = "sts:AssumeRole"
        NotResource = "arn:aws:iam::111122223333:role/team-execution"
        Condition   = { StringLike = { "aws:userid" = "*:SageMaker" } }
      },
    ])
    error_message = "The base session must be denied all but the handshake and what is allowed by name."
  }

  assert {
    condition = jsonencode(jsondecode(aws_iam_role_policy.protect_role[0].policy).Statement) == jsonencode([
      {
        Sid      = "MayNotPassItself"
        Effect   = "Deny"
        Action   = "iam:PassRole"
        Resource = "arn:aws:iam::111122223333:role/team-execution"
      },
      {
        Sid    = "MayNotChangeNotebookInstances"
        Effect = "Deny"
        Action = [
          "sagemaker:Create*NotebookInstance*",
          "sagemaker:DeleteNotebookInstance*",
          "sagemaker:StartNotebookInstance*",
          "sagemaker:UpdateNotebookInstance*",
        ]
        Resource = "*"
      },
      {
        Sid       = "MayNotChangeItself"
        Effect    = "Deny"
        NotAction = ["iam:Generate*", "iam:Get*", "iam:List*", "iam:PassRole", "iam:Simulate*", "sts:*"]
        Resource  = "arn:aws:iam::111122223333:role/team-execution"
      },
      {
        Sid      = "MayNotChangeManagedPolicies"
        Effect   = "Deny"
        Action   = ["iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"]
        Resource = "arn:aws:iam::111122223333:policy/*"
      },
    ])
    error_message = "The role must be kept from passing itself and from changing what attribution rests on."
  }
}

run "allowed_again" {
  command = plan

  variables {
    attribution_mode                = "imds"
    allow_pass_role                 = true
    allow_notebook_instance_changes = true
  }

  assert {
    condition = jsonencode([for statement in jsondecode(aws_iam_role_policy.protect_role[0].policy).Statement : statement.Sid]) == jsonencode([
      "MayNotChangeItself", "MayNotChangeManagedPolicies",
    ])
    error_message = "Each allow_* must take back its own statement, and no other."
  }
}

run "existing_role" {
  command = plan

  variables {
    create_role = false
    role_arn    = "arn:aws:iam::111122223333:role/existing"
  }

  assert {
    condition     = length(aws_iam_role.this) == 0 && aws_iam_role_policy.assume_self[0].name == "team-assume-self-us-east-1"
    error_message = "On an existing role there must be no new role, and policies whose names end in the region."
  }

  assert {
    condition = jsonencode([for statement in jsondecode(aws_iam_role_policy.assume_self[0].policy).Statement : statement if contains(["OpenNotebookSessions", "UnderKnownNamesOnly"], statement.Sid)]) == jsonencode([
      {
        Sid       = "OpenNotebookSessions"
        Effect    = "Allow"
        Action    = ["sts:AssumeRole", "sts:SetSourceIdentity"]
        Resource  = "arn:aws:iam::111122223333:role/existing"
        Condition = { StringLikeIfExists = { "sts:RoleSessionName" = ["fraud-model", "team-a-*"] } }
      },
    ])
    error_message = "On an existing role the names must stand in the Allow, since another call may admit others."
  }
}
