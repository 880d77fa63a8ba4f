output "json" {
  description = "The trust policy, as JSON: SageMaker opens the base session, and the base session opens notebook sessions. It contains no notebook names."
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "SageMakerOpensBaseSession"
        Effect    = "Allow"
        Principal = { Service = "sagemaker.amazonaws.com" }
        # A job takes over the source identity of the session that creates it, and fails where the role doesn't let it:
        # https://docs.aws.amazon.com/sagemaker/latest/dg/monitor-user-access-how-to.html
        Action = local.open_session_actions
      },
      local.self_trust_statement,
    ]
  })
}

output "self_trust_statement" {
  description = "Only the second statement, as JSON, for a trust policy that you already have."
  value       = jsonencode(local.self_trust_statement)
}
