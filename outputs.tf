output "role_arn" {
  description = "ARN of the execution role."
  value       = local.role_arn
  depends_on  = [aws_iam_role.this]
}

output "role_name" {
  description = "Name of the execution role, for attaching policies of your own."
  value       = local.role_name
  depends_on  = [aws_iam_role.this]
}

output "role_trust_policy" {
  description = "The trust policy, as JSON, that a created role carries and an existing one must: SageMaker's statement, and the one by which the role trusts itself. It is the same whatever the notebooks are called."
  value       = local.role_trust_policy
}

output "lifecycle_configuration_name" {
  description = "Name of the lifecycle configuration, for notebook instances outside the module."
  value       = aws_sagemaker_notebook_instance_lifecycle_configuration.this.name
}

output "lifecycle_configuration_arn" {
  description = "ARN of the lifecycle configuration."
  value       = aws_sagemaker_notebook_instance_lifecycle_configuration.this.arn
}

output "on_start_script" {
  description = "The on-start script as rendered, for review."
  value       = local.on_start
}

output "notebook_instances" {
  description = "Of each notebook instance, by name: `arn`, `url`, `network_interface_id` and `session_arn`, the ARN that CloudTrail shows as the caller."
  value = {
    for name, notebook in aws_sagemaker_notebook_instance.this : name => {
      arn                  = notebook.arn
      url                  = notebook.url
      network_interface_id = notebook.network_interface_id
      session_arn          = "arn:${local.partition}:sts::${local.account_id}:assumed-role/${local.role_name}/${name}"
    }
  }
}

output "session_arns" {
  description = "The ARN that CloudTrail shows as the caller, by session name: of the module's notebook instances and of `additional_session_names`, whose wildcards it keeps."
  value       = { for name in local.known_session_names : name => "arn:${local.partition}:sts::${local.account_id}:assumed-role/${local.role_name}/${name}" }
}
