# SageMaker writes the logs of lifecycle scripts and of Jupyter in the base session, with the role's own permissions.

locals {
  logs_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "WriteNotebookLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = "arn:${local.partition}:logs:*:${local.account_id}:log-group:/aws/sagemaker/NotebookInstances*"
      },
    ]
  })
}

resource "aws_iam_role_policy" "logs" {
  count = local.manages_role_policies && var.attach_logs_policy ? 1 : 0

  name   = local.logs_policy_name
  role   = var.create_role ? aws_iam_role.this[0].name : data.aws_iam_role.existing[0].name
  policy = local.logs_policy

  lifecycle {
    create_before_destroy = true
  }
}
