# More names than the role's inline policies take: managed policies, each of which lists the names with certain prefixes.
#
# A policy of these denies every session name but the names that it lists, and those that begin with the prefix of another.
# Why together they let pass the listed names and no other: none of the prefixes begins with another one (a validation), so
# a name begins with one of them at most. Its policy has no pattern for it, and passes it only if it lists it. A name that
# begins with none has no pattern in any policy, and is listed in each or refused by each. This holds at every moment of a
# change of names, since it takes nothing of the other policies than that they are there.

locals {
  has_session_name_policies = local.denies_unknown_names && length(var.session_name_policies) > 0

  # Other prefixes make other policies, which are attached before the old ones go: in between a name must pass both.
  session_name_policies_id = substr(sha256(jsonencode(var.session_name_policies)), 0, 8)

  session_name_prefixes = flatten(var.session_name_policies)
  # Of each line the prefix that it begins with, or none, and the rest.
  session_name_prefix_regex = "(?m)^(${join("|", concat([
    for prefix in local.session_name_prefixes : replace(prefix, "/[.+]/", "\\$0")
  ], [""]))})(.*)$"

  # A pattern stands in each policy, and so does a name that begins with none of the prefixes.
  session_names_by_prefix = { for parts in local.has_session_name_policies ? regexall(
    local.session_name_prefix_regex, join("\n", setsubtract(local.session_names, local.session_name_patterns))
  ) : [] : parts[0] => join("", parts)... if join("", parts) != "" }
  session_name_prefixes_in_use = [
    for prefix in local.session_name_prefixes : prefix if can(local.session_names_by_prefix[prefix])
  ]

  session_name_policies = { for index, prefixes in local.has_session_name_policies ? var.session_name_policies : [] :
    "${local.session_name_policies_id}-${index + 1}" => {
      prefixes = prefixes
      names = sort(flatten([
        local.session_name_patterns, [for prefix in concat([""], prefixes) : try(local.session_names_by_prefix[prefix], [])]
      ]))
      others = [for prefix in local.session_name_prefixes_in_use : "${prefix}*" if !contains(prefixes, prefix)]
    }
  }

  session_name_policy_documents = { for key, policy in local.session_name_policies : key => jsonencode({
    Version = "2012-10-17"
    Statement = [merge(local.deny_unknown_names, length(policy.names) + length(policy.others) == 0 ? {} : {
      Condition = { StringNotLike = { "sts:RoleSessionName" = concat(policy.names, policy.others) } }
    })]
  }) }
}

# What is proposed where the names don't fit.

locals {
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  managed_policy_quota     = 6144
  managed_policies_at_most = 25

  session_names_fit = alltrue(concat(
    [for document in values(local.session_name_policy_documents) : length(document) <= local.managed_policy_quota],
    [local.inline_policy_characters <= local.inline_policy_quota]
  ))
  names_to_divide = local.session_names_fit || !local.denies_unknown_names ? [] : sort(setsubtract(
    local.session_names, local.session_name_patterns
  ))

  # Of each prefix, the names that begin with it and what follows the prefix in each; the characters that they take.
  characters_by_prefix = merge([for end in range(1, 65) : { for prefix, characters in {
    for parts in regexall("(?m)^(.{${end}})(.*)$", join("\n", local.names_to_divide)) :
    parts[0] => end + length(parts[1]) + 3...
  } : prefix => sum(characters) }]...)
  # For each name the shortest prefix whose names take a part of a policy only. A shorter one takes in a longer one's names,
  # so that none of these begins with another.
  characters_of_a_prefix = local.managed_policy_quota / 3
  proposed_prefixes = sort([for prefix, characters in local.characters_by_prefix : prefix
    if characters <= local.characters_of_a_prefix && try(
      local.characters_by_prefix[substr(prefix, 0, length(prefix) - 1)], local.managed_policy_quota
    ) > local.characters_of_a_prefix
  ])
  names_without_prefix = [
    for name in local.names_to_divide : name if try(local.characters_by_prefix[name], 0) > local.characters_of_a_prefix
  ]

  # Of as few policies as take them with room for a fifth more.
  room_in_a_policy = floor(0.8 * (local.managed_policy_quota - length(jsonencode(merge(local.deny_unknown_names, {
    Condition = { StringNotLike = { "sts:RoleSessionName" = concat(
      local.session_name_patterns, [for prefix in local.proposed_prefixes : "${prefix}*"], local.names_without_prefix
    ) } }
  })))))
  characters_before_prefix = [for index, prefix in local.proposed_prefixes : sum(concat([0], [
    for earlier in slice(local.proposed_prefixes, 0, index) : local.characters_by_prefix[earlier]
  ])) + local.characters_by_prefix[prefix] / 2]
  characters_to_divide = sum(concat([0], [for prefix in local.proposed_prefixes : local.characters_by_prefix[prefix]]))
  divisions = [for count in range(1, local.managed_policies_at_most + 1) : values({
    for index, prefix in local.proposed_prefixes :
    format("%02d", floor(local.characters_before_prefix[index] * count / local.characters_to_divide)) => prefix...
  })]
  proposed_policies = concat([for division in local.divisions : division if alltrue([
    for prefixes in division : sum([for prefix in prefixes : local.characters_by_prefix[prefix]]) <= local.room_in_a_policy
  ])], [[]])[0]
  session_name_policies_proposal = (
    length(local.names_to_divide) == 0 ? "" :
    length(local.proposed_policies) == 0 ? " The module found no division of these names by their prefixes into ${local.managed_policies_at_most} managed policies, the most that a role can have: divide them yourself in session_name_policies, or use patterns, or several roles." :
    " Or let ${length(local.proposed_policies)} managed policies list the names (a role can have 10 by default, more by request): session_name_policies = ${jsonencode(local.proposed_policies)}."
  )
}

resource "aws_iam_policy" "session_names" {
  for_each = local.session_name_policies

  name        = "${local.policy_prefix}session-names-${each.key}${local.policy_suffix}"
  path        = var.create_role ? var.role_path : "/"
  description = "Denies the role ${local.role_name} sessions on itself under other names than the known ones"
  policy      = local.session_name_policy_documents[each.key]
  tags        = var.tags

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = length(local.session_name_policy_documents[each.key]) <= local.managed_policy_quota
      error_message = "The managed policy of the session names that begin with ${join(", ", each.value.prefixes)} would have ${length(local.session_name_policy_documents[each.key])} characters with its ${length(each.value.names)} names; IAM allows ${local.managed_policy_quota}. Move a part of the prefixes in session_name_policies to another list, or put longer prefixes in their place; or put a pattern for names that have a common prefix into additional_session_names.${local.session_name_policies_proposal}"
    }
  }
}

resource "aws_iam_role_policy_attachment" "session_names" {
  for_each = local.session_name_policies

  role       = var.create_role ? aws_iam_role.this[0].name : data.aws_iam_role.existing[0].name
  policy_arn = aws_iam_policy.session_names[each.key].arn

  lifecycle {
    create_before_destroy = true
  }
}
