output "role_arn" {
  description = "ARN of the execution role. Resources that use this output wait for the role's policies."
  value       = local.role_arn
  depends_on = [
    aws_iam_role.this,
    aws_iam_role_policy.assume_self,
    aws_iam_role_policy.logs,
    aws_iam_role_policy.protect_role,
    aws_iam_role_policy_attachment.session_names,
    aws_iam_role_policy_attachment.this,
  ]

  precondition {
    condition     = var.create_role || local.manages_role_policies || var.role_arn != null
    error_message = "create_role = false needs role_arn, the ARN of the existing execution role. Add role_arn: with shared_role, it is the output role_arn of the call that manages the role's policies."
  }

  # Otherwise the role is read, and that is said before.
  precondition {
    condition     = local.manages_role_policies || local.role_is_of_the_account
    error_message = local.role_is_of_another_account
  }
}

output "role_name" {
  description = "Name of the execution role, for attaching policies of your own."
  value       = local.role_name
  depends_on  = [aws_iam_role.this]

  precondition {
    condition     = length(local.inputs_of_a_created_role) == 0
    error_message = "These inputs apply only to a role that the module creates, but create_role is false. Remove ${join(", ", local.inputs_of_a_created_role)}: role_arn names the existing role, and its owner sets its permissions boundary."
  }
}

output "role_unique_id" {
  description = "Unique id of the execution role, which CloudTrail shows in a session's `principalId`. Null with `shared_role`: use the output of the call that manages the role's policies."
  value       = var.create_role ? aws_iam_role.this[0].unique_id : one(data.aws_iam_role.existing[*].unique_id)
}

output "role_trust_policy" {
  description = "The trust policy, as JSON, that a created role has and an existing role needs: SageMaker's statement, and the statement that lets the role trust itself. It contains no notebook names."
  value       = module.trust_policy.json
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
  description = "The rendered on-start script, for review."
  value       = local.on_start
}

output "notebook_instances" {
  description = "The notebook instances, by name. Each has `arn`, `url`, `network_interface_id` and `session_arn`, the ARN that CloudTrail shows as the caller."
  value = {
    for name, notebook in aws_sagemaker_notebook_instance.this : name => {
      arn                  = notebook.arn
      url                  = notebook.url
      network_interface_id = notebook.network_interface_id
      session_arn          = "arn:${local.partition}:sts::${local.account_id}:assumed-role/${local.role_name}/${name}"
    }
  }
}

output "shared_role" {
  description = "The value for the input `shared_role` of another call of the module on the same role."
  value = {
    attribution_mode = local.mode_of_the_managing_call
    session_names    = local.manages_role_policies ? local.known_session_names : local.admitted_session_names
  }
}

output "session_arns" {
  description = "The ARN that CloudTrail shows as the caller, by session name: for the module's notebook instances and for `additional_session_names`. Wildcards stay as they are."
  value       = { for name in local.known_session_names : name => "arn:${local.partition}:sts::${local.account_id}:assumed-role/${local.role_name}/${name}" }

  precondition {
    condition     = length(local.inputs_of_the_managing_call) == 0
    error_message = "shared_role comes from another call of the module, which has the role's policies, so these inputs belong in that call: ${join(", ", local.inputs_of_the_managing_call)}. Remove them here."
  }

  precondition {
    condition     = var.attribution_mode == local.mode_of_the_managing_call
    error_message = "attribution_mode is ${jsonencode(var.attribution_mode)} here, but ${jsonencode(local.mode_of_the_managing_call)} in the call of the module that has the role's policies. Where one is \"profile\", a notebook's user can call in the base session and under the other notebooks' names, and the promises of \"imds\" don't hold for the role. Set attribution_mode = ${jsonencode(local.mode_of_the_managing_call)} here, or the other one there."
  }

  precondition {
    condition     = length(local.session_names_not_admitted) == 0
    error_message = "The call of the module that has the role's policies doesn't admit these names, so their notebook instances would be refused: ${jsonencode(local.session_names_not_admitted)}. Add them to additional_session_names of that call, and apply it first."
  }
}
