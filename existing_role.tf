# An existing role's trust policy belongs to its owner: it is read, and what is missing is said.

data "aws_iam_role" "existing" {
  # The call that has the role's policies reads it; for another, in one apply with that call, it may not be there yet.
  count = var.create_role || !local.manages_role_policies ? 0 : 1

  name = local.role_name

  lifecycle {
    precondition {
      condition     = var.role_arn != null
      error_message = "create_role = false needs role_arn, the ARN of the existing execution role. Add role_arn, or remove create_role."
    }

    precondition {
      condition     = local.role_is_of_the_account
      error_message = local.role_is_of_another_account
    }

    postcondition {
      condition     = self.arn == var.role_arn
      error_message = "The provider's account has a role ${local.role_name}, but its ARN is ${self.arn}, not ${local.role_arn}. Write that ARN, with its path, or use a provider of the role's account."
    }

    postcondition {
      condition     = !contains(keys(coalesce(self.tags, {})), local.policies_tag)
      error_message = "The role ${local.role_name} was created by another call of this module, with name = \"${try(self.tags[local.policies_tag], "")}\", which denies all session names but its own: the notebook instances of this call would be refused. In that call add to additional_session_names: ${jsonencode(local.known_session_names)}. In this one set shared_role = module.NAME.shared_role, with that call's NAME. (If no such call has the role any more, remove the role's tag ${local.policies_tag}.)"
    }
  }
}

locals {
  role_is_of_the_account     = var.role_arn == null || local.account_id == data.aws_caller_identity.current.account_id
  role_is_of_another_account = "role_arn, ${local.role_arn}, names a role of the account ${local.account_id}, but the provider's account is ${data.aws_caller_identity.current.account_id}: a notebook instance can only have a role of its own account. Correct role_arn, or use a provider of the role's account."

  # They would have no effect.
  inputs_of_a_created_role = [
    for input, given in {
      role_name                 = var.role_name != null
      role_path                 = var.role_path != "/"
      role_permissions_boundary = var.role_permissions_boundary != null
    } : input if given && !var.create_role
  ]

  # Operators, keys and actions ignore case; values don't.
  trust_statements = [
    for statement in try(flatten([jsondecode(data.aws_iam_role.existing[0].assume_role_policy).Statement]), []) : {
      name       = try(statement.Sid, jsonencode(statement))
      judged     = try(statement.Effect, "") == "Allow" && length(setsubtract(keys(statement), ["Action", "Condition", "Effect", "Principal", "Sid"])) == 0
      allows     = try(statement.Effect, "") == "Allow"
      principals = try(flatten([statement.Principal.AWS]), [tostring(statement.Principal)], [])
      actions    = [for action in try(flatten([statement.Action]), []) : lower(action)]
      conditions = flatten([
        for operator, keys in try(statement.Condition, {}) : [
          for key, values in keys : [for value in flatten([values]) : { test = lower("${operator} ${key}"), value = tostring(value) }]
        ]
      ])
    }
  ]
  unjudged_trust_statements = [for statement in local.trust_statements : statement.name if !statement.judged]

  # Principals that are each session of the role, as far as they say.
  self_principals = ["*", local.account_id, "arn:${local.partition}:iam::${local.account_id}:root", local.role_arn]
  session_prefix  = "arn:${local.partition}:sts::${local.account_id}:assumed-role/${local.role_name}/"

  # Of each action of the handshake, the statements that allow it, by wildcards too.
  statements_that_allow = { for action in local.open_session_actions : action => [
    for statement in local.trust_statements : statement
    if statement.allows && anytrue([
      for pattern in statement.actions :
      can(regex("^${replace(replace(replace(pattern, "/[^\\w:*?-]/", "\\$0"), "*", ".*"), "?", ".")}$", lower(action)))
    ])
  ] }

  # Conditions that the base session is known to meet. Of any other, nobody can say from here.
  conditions_met_by_base_session = concat(
    [for operator in ["stringequals", "stringlike", "arnequals", "arnlike"] : { test = "${operator} aws:principalarn", value = local.role_arn }],
    [for operator in ["stringequals", "stringlike"] : { test = "${operator} aws:principalaccount", value = local.account_id }],
    [local.base_session_condition]
  )
  base_session_condition = { test = "stringlike aws:userid", value = "*:SageMaker" }

  # The source identity is set in imds mode alone; an existing role need not allow it before.
  role_trusts_itself = var.create_role || alltrue([
    for action in var.attribution_mode == "imds" ? local.open_session_actions : ["sts:AssumeRole"] : anytrue([
      for statement in local.statements_that_allow[action] :
      length(setintersection(local.self_principals, statement.principals)) > 0
      && alltrue([for condition in statement.conditions : contains(local.conditions_met_by_base_session, condition)])
    ])
  ])
  role_does_not_trust_itself = "The trust policy of ${local.role_arn} doesn't let the role assume itself${var.attribution_mode == "imds" ? " with a source identity" : ""}, as far as the module can tell: the notebooks${var.attribution_mode == "imds" ? " wouldn't start" : "' first calls would be refused"}. First add this statement to it, once: ${module.trust_policy.self_trust_statement} (If another of its statements does the same, set verify_role_trust = false.)"

  # A session can be a principal too. That of the base session alone does no harm.
  role_keeps_notebooks_apart = var.create_role || alltrue([
    for statement in local.statements_that_allow["sts:AssumeRole"] :
    [for condition in statement.conditions : condition if endswith(condition.test, " aws:userid")] == [local.base_session_condition]
    if anytrue([
      for principal in statement.principals : contains(local.self_principals, principal)
      || (startswith(principal, local.session_prefix) && principal != "${local.session_prefix}SageMaker")
    ])
  ])
  role_does_not_keep_notebooks_apart = "The trust policy of ${local.role_arn} lets sessions of the role other than the base session assume the role, so one notebook can call under another's name. First replace the statement that trusts the account, the role or a session of it by: ${module.trust_policy.self_trust_statement} (To accept that, set verify_role_trust = false.)"

  role_trust_is_judged     = var.create_role || length(local.unjudged_trust_statements) == 0
  role_trust_is_not_judged = "The trust policy of ${local.role_arn} has statements that the module can't judge, since each is a Deny or has NotAction, NotPrincipal or another unusual element: ${join(", ", local.unjudged_trust_statements)}. Check yourself that the role's base session, which is called SageMaker, may assume the role, and that no other session of the role may. Then set verify_role_trust = false."
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

check "existing_role_trust_is_judged" {
  assert {
    condition     = var.verify_role_trust ? true : local.role_trust_is_judged
    error_message = local.role_trust_is_not_judged
  }
}
