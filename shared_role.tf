# Several calls of the module on one role: which of them has the role's policies, and which names it admits.

locals {
  manages_role_policies = var.shared_role == null
  denies_unknown_names  = local.manages_role_policies && coalesce(var.deny_unknown_session_names, var.create_role)

  # On a created role, so that another call sees in its plan that the names of this one alone are admitted.
  policies_tag      = "notebook-attribution:admits-names-of"
  role_policies_tag = local.denies_unknown_names ? { (local.policies_tag) = var.name } : {}

  admitted_session_names = try(var.shared_role.session_names, [])
  # A name here may be a pattern itself: its * is more than the one character that a ? admits.
  admitted_session_name_regex = "^(${join("|", [
    for pattern in local.admitted_session_names : replace(replace(replace(pattern, "/[.+]/", "\\$0"), "*", ".*"), "?", "[^*]")
  ])})$"
  session_names_not_admitted = [
    for name in local.known_session_names : name
    if !local.manages_role_policies && !can(regex(local.admitted_session_name_regex, name))
  ]

  # Inputs that are about the role's policies, where another call has them.
  inputs_of_the_managing_call = [
    for input, given in {
      allow_notebook_instance_changes  = var.allow_notebook_instance_changes
      allow_pass_role                  = var.allow_pass_role
      allow_role_changes               = var.allow_role_changes
      attach_logs_policy               = !var.attach_logs_policy
      deny_unattributed_calls          = var.deny_unattributed_calls
      deny_unknown_session_names       = var.deny_unknown_session_names != null
      outside_notebooks_are_attributed = var.outside_notebooks_are_attributed
      policy_name                      = var.policy_name != null
      role_policy_arns                 = length(var.role_policy_arns) > 0
      session_name_policies            = length(var.session_name_policies) > 0
      unattributed_allowed_actions     = var.unattributed_allowed_actions != null
      verify_role_trust                = !var.verify_role_trust
    } : input if given && !local.manages_role_policies
  ]

  # In profile mode the base session is within reach of a notebook's user, who can then open a session under any name of
  # the role; and no policy protects the role. In imds mode neither may be so.
  mode_of_the_managing_call = try(var.shared_role.attribution_mode, var.attribution_mode)
}
