# Inputs that would have no effect beside the others, where that is no error of its own (existing_role.tf, shared_role.tf).

locals {
  has_outside_notebooks = !var.create_role || length(var.additional_session_names) > 0

  unused_inputs = concat(
    [
      for input, given in {
        allow_notebook_instance_changes = var.allow_notebook_instance_changes
        allow_pass_role                 = var.allow_pass_role
        allow_role_changes              = var.allow_role_changes
      } : "${input} (it permits a part of what imds mode or deny_unattributed_calls denies to the role, and this call has neither)"
      if given && !local.role_needs_protection
    ],
    [
      for input, given in {
        outside_notebooks_are_attributed = var.outside_notebooks_are_attributed
        unattributed_allowed_actions     = var.unattributed_allowed_actions != null
      } : "${input} (only with deny_unattributed_calls = true)"
      if given && !var.deny_unattributed_calls
    ],
    var.outside_notebooks_are_attributed && var.deny_unattributed_calls && !local.has_outside_notebooks ? [
      "outside_notebooks_are_attributed (only with an existing role or additional_session_names)"
    ] : [],
    var.verify_role_trust || !var.create_role ? [] : [
      "verify_role_trust (only with an existing role; the module writes the trust policy of a role that it creates)"
    ],
  )
}

check "all_inputs_have_an_effect" {
  assert {
    condition     = !local.manages_role_policies || length(local.unused_inputs) == 0
    error_message = "No effect: ${join(", ", local.unused_inputs)}. Remove what you don't need."
  }
}
