# An existing role's trust policy belongs to its owner: it is read, and what is missing is said.

data "aws_iam_role" "existing" {
  # The call that has the role's policies reads it; for another, in one apply with that call, it may not be there yet.
  count = var.create_role || !var.manage_role_policies ? 0 : 1

  name = local.role_name

  lifecycle {
    precondition {
      condition     = var.role_arn != null
      error_message = "create_role = false needs role_arn, the ARN of the existing execution role. Add it, or remove create_role."
    }

    postcondition {
      condition     = self.arn == var.role_arn
      error_message = "The provider's account has a role ${local.role_name}, but its ARN is ${self.arn}, not ${local.role_arn}. Write that ARN, with its path, or use a provider of the role's account."
    }

    postcondition {
      condition     = !contains(keys(coalesce(self.tags, {})), local.policies_tag)
      error_message = "The role ${local.role_name} was created by another call of this module, with name = \"${try(self.tags[local.policies_tag], "")}\", which denies all session names but its own: the notebook instances of this call would be refused. In that call add to additional_session_names: ${jsonencode(local.known_session_names)}. In this one set manage_role_policies = false, and admitted_session_names = keys(module.NAME.session_arns) of that call. (If no such call has the role any more, remove the role's tag ${local.policies_tag}.)"
    }
  }
}

locals {
  # The statements that let some session of the role do something with the role, as far as their principals say.
  self_trusting_statements = [
    for statement in try(flatten([jsondecode(data.aws_iam_role.existing[0].assume_role_policy).Statement]), []) : statement
    if statement.Effect == "Allow"
    && length(setintersection(
      ["*", local.account_id, "arn:${local.partition}:iam::${local.account_id}:root", local.role_arn],
      try(flatten([statement.Principal.AWS]), statement.Principal == "*" ? ["*"] : [])
    )) > 0
  ]

  # The source identity is set in imds mode alone; an existing role need not allow it before.
  actions_of_the_handshake = var.attribution_mode == "imds" ? local.open_session_actions : ["sts:AssumeRole"]

  # Of each that allows the action, its conditions as "operator key value" in lower case.
  self_trust_conditions = { for action in local.actions_of_the_handshake : action => [
    for statement in local.self_trusting_statements : flatten([
      for operator, keys in try(statement.Condition, {}) : [
        for key, values in keys : [for value in flatten([values]) : lower("${operator} ${key} ${value}")]
      ]
    ])
    if length(setintersection([lower(action), "sts:*", "*"], [for each in try(flatten([statement.Action]), []) : lower(each)])) > 0
  ] }

  # Conditions that the base session is known to meet. Of any other, nobody can say from here.
  conditions_met_by_base_session = concat(
    [for operator in ["stringequals", "stringlike", "arnequals", "arnlike"] : lower("${operator} aws:PrincipalArn ${local.role_arn}")],
    [for operator in ["stringequals", "stringlike"] : "${operator} aws:principalaccount ${local.account_id}"],
    [local.base_session_condition]
  )
  base_session_condition = lower("StringLike aws:userid *:SageMaker")

  role_trusts_itself = var.create_role || alltrue([
    for action, statements in local.self_trust_conditions : anytrue([
      for conditions in statements : length(setsubtract(conditions, local.conditions_met_by_base_session)) == 0
    ])
  ])
  role_does_not_trust_itself = "The trust policy of ${local.role_arn} doesn't let the role assume itself${var.attribution_mode == "imds" ? " with a source identity" : ""}, as far as can be told from here: the notebooks${var.attribution_mode == "imds" ? " wouldn't start" : "' first calls would be refused"}. First add this statement to it, once: ${module.trust_policy.self_trust_statement} (If another statement of it does the same, set verify_role_trust = false.)"

  role_keeps_notebooks_apart = var.create_role || alltrue([
    for conditions in local.self_trust_conditions["sts:AssumeRole"] :
    [for condition in conditions : condition if strcontains(condition, "aws:userid")] == [local.base_session_condition]
  ])
  role_does_not_keep_notebooks_apart = "The trust policy of ${local.role_arn} lets any session of the role assume the role, so one notebook can call under another's name. First replace the statement that trusts the account or the role by: ${module.trust_policy.self_trust_statement} (To accept that, set verify_role_trust = false.)"
}

# With verify_role_trust these are errors: preconditions of the policy that the module attaches.
check "existing_role_trusts_itself" {
  assert {
    condition     = var.verify_role_trust ? true : local.role_trusts_itself
    error_message = local.role_does_not_trust_itself
  }
}

check "existing_role_keeps_notebooks_apart" {
  assert {
    condition     = var.verify_role_trust ? true : local.role_keeps_notebooks_apart
    error_message = local.role_does_not_keep_notebooks_apart
  }
}
