output "json" {
  description = "The trust policy, as JSON: SageMaker opens the base session, and the base session opens notebook sessions. It contains no notebook names."
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "SageMakerOpensBaseSession"
        Effect    = "Allow"
        Principal = { Service = "sagemaker.amazonaws.com" }
        Action    = "sts:AssumeRole"
      },
      local.self_trust_statement,
    ]
  })
}

output "self_trust_statement" {
  description = "The second statement alone, as JSON, for a trust policy that you already have."
  value       = jsonencode(local.self_trust_statement)
}
