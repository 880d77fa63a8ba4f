variable "name" {
  description = "Prefix of the names of the role, its inline policies and the lifecycle configuration, unless an input gives their name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", var.name))
    error_message = "name must be letters, digits and single or repeated hyphens between them, like a lifecycle configuration's name. Write, for example, \"data-science\"."
  }

  validation {
    condition     = length(var.name) <= 51
    error_message = "name must have at most 51 characters: \"-attribution\" is appended to it, and a lifecycle configuration's name has at most 63."
  }
}

variable "notebook_instances" {
  description = <<-EOT
    The notebook instances to create: a map from each instance's name to its attributes. The name is also the session name
    that CloudTrail shows. All attributes are optional and have the same meaning as in `aws_sagemaker_notebook_instance`.
    `null` means the default, also in place of the whole map of attributes. A change that *replaces the instance* also
    deletes its volume, with everything in `/home/ec2-user/SageMaker`:
    - the key: another name replaces the instance.
    - `instance_type`: a string, default `ml.t3.medium`.
    - `volume_size`: a number of GiB, 5 to 16384, default 5. It can grow in place; a smaller one replaces the instance.
    - `subnet_id`: a string. A change replaces the instance.
    - `security_groups`: a list of at most 5 strings. A change replaces the instance.
    - `direct_internet_access`: `Enabled` (default) or `Disabled`. A change replaces the instance.
    - `kms_key_id`: a string, the key that encrypts the volume. A change replaces the instance.
    - `platform_identifier`: a string, default null, which is AWS's own default. A change replaces the instance.
    - `minimum_instance_metadata_service_version`: `2` (default) or `1`.
    - `default_code_repository`: a string; `additional_code_repositories`: a list of at most 3 strings.
    - `tags`: a map of strings, added to the module's `tags`.
    There is no attribute for root access: it is always off, since root could undo the attribution.
  EOT
  # An object type would drop a misspelt attribute without a word. What is wrong is said by the resource's preconditions.
  type     = any
  default  = {}
  nullable = false

  validation {
    condition     = can(keys(var.notebook_instances))
    error_message = "notebook_instances must be a map from each notebook instance's name to its attributes. Write, for example, { fraud-model = {} }."
  }
}

variable "create_role" {
  description = "Whether to create the execution role. With false, the module uses the existing role `role_arn`."
  type        = bool
  default     = true
  nullable    = false
}

variable "role_arn" {
  description = "ARN, with its path, of an existing execution role in the provider's account. Needs `create_role = false`. The role's trust policy must contain the statement that lets the role trust itself: see the output `role_trust_policy`, or `modules/trust-policy`."
  type        = string
  default     = null

  validation {
    condition     = var.role_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/([!-~]+/)?[\\w+=,.@-]{1,64}$", var.role_arn))
    error_message = "role_arn must be the ARN of an IAM role, such as \"arn:aws:iam::111122223333:role/service-role/AmazonSageMaker-ExecutionRole\" (not the ARN of a session, which begins \"arn:aws:sts:\")."
  }
}

variable "verify_role_trust" {
  description = "Whether an unsuitable trust policy of an existing role is an error. A trust policy is unsuitable if it doesn't let the role assume itself, if it lets one notebook call under another's name, or if the module can't judge it (it has a Deny, NotAction or NotPrincipal). With false, it is a warning: judge the trust policy yourself."
  type        = bool
  default     = true
  nullable    = false
}

variable "shared_role" {
  description = "The output `shared_role` of another call of the module, for example in another region. That call manages the role's policies, and this call attaches none. Needs `create_role = false`, and the same `attribution_mode` as that call. That call's `additional_session_names` must contain the names of this call, and its `deny_unattributed_calls` decides what the base session may do."
  type = object({
    attribution_mode = string
    session_names    = set(string)
  })
  default = null
}

variable "deny_unknown_session_names" {
  description = "Whether the role's policy denies all session names except those of this call, even if another policy of the role allows `sts:AssumeRole`. Default: true for a created role, false for an existing one. Several calls of the module may share an existing role, each with a policy of its own, and the Deny of one would refuse the names of the others."
  type        = bool
  default     = null
}

variable "attach_logs_policy" {
  description = "Whether to attach a policy that lets SageMaker use the role to write the notebook instances' logs, `/aws/sagemaker/NotebookInstances`. Without this policy, or a similar one, the on-start script has no log."
  type        = bool
  default     = true
  nullable    = false
}

variable "role_name" {
  description = "Name of the created role. Default: `name`, followed by `-execution`."
  type        = string
  default     = null

  validation {
    condition     = var.role_name == null || can(regex("^[\\w+=,.@-]{1,64}$", var.role_name))
    error_message = "role_name must have 1 to 64 letters, digits and characters of _+=,.@-. Write, for example, \"data-science-execution\"."
  }
}

variable "policy_name" {
  description = "Name of the inline policy that lets the role assume itself. Default: `name`, followed by `-assume-self`. For an existing role the default ends with the region, and it begins with `lifecycle_configuration_name` and a dot, instead of `name` and a hyphen, if that input is set, so that no two calls write the same policy. Use this input only for a role that no other call of the module uses: two calls with the same policy name would overwrite each other's policy. So for an existing role it needs `deny_unknown_session_names = true`, and for a created role `deny_unknown_session_names` must not be false."
  type        = string
  default     = null

  validation {
    condition     = var.policy_name == null || can(regex("^[\\w+=,.@-]{1,128}$", var.policy_name))
    error_message = "policy_name must have 1 to 128 letters, digits and characters of _+=,.@-. Write, for example, \"data-science-assume-self\"."
  }
}

variable "lifecycle_configuration_name" {
  description = "Name of the lifecycle configuration. Default: `name`, followed by `-attribution`."
  type        = string
  default     = null

  validation {
    condition     = var.lifecycle_configuration_name == null || can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$", var.lifecycle_configuration_name))
    error_message = "lifecycle_configuration_name must have 1 to 63 letters, digits, and hyphens between them. Write, for example, \"data-science-attribution\"."
  }

  validation {
    condition     = length(coalesce(var.lifecycle_configuration_name, "-")) <= 63
    error_message = "lifecycle_configuration_name must have at most 63 characters."
  }
}

variable "role_path" {
  description = "Path of the created role and of the policies of `session_name_policies`. An error with `create_role = false`. A role's name is unique across all paths of an account, so if you change the path, change `name` or `role_name` too."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([!-.0-~]+/)*$", var.role_path)) && length(var.role_path) <= 512
    error_message = "role_path must begin and end with a slash, and have at most 512 characters. Write, for example, \"/data-science/\"."
  }

  validation {
    # In the condition of the trust policy they would be wildcards, or begin a policy variable.
    condition     = !can(regex("[*?$]", var.role_path))
    error_message = "role_path must not contain *, ? or $: they have a special meaning in a policy."
  }
}

variable "role_permissions_boundary" {
  description = "ARN of the managed policy that is the created role's permissions boundary. An error with `create_role = false`. The boundary must allow `sts:AssumeRole` on the role itself, and in imds mode `sts:SetSourceIdentity`."
  type        = string
  default     = null

  validation {
    condition     = var.role_permissions_boundary == null || can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$", var.role_permissions_boundary))
    error_message = "role_permissions_boundary must be the ARN of a managed policy, such as \"arn:aws:iam::111122223333:policy/boundary\"."
  }
}

variable "role_policy_arns" {
  description = "Managed policies to attach to the role: they decide what the notebooks may do. Choose the keys freely, but as literals, such as `s3 = \"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess\"`; the ARNs may come from resources."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "additional_session_names" {
  description = "Names of notebook instances outside this module that share the role. `*` and `?` are wildcards: `team-a-*` admits every name that begins with `team-a-`, also names of instances that don't exist."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    # One regular expression for all of them, each in its quotes (\x22): one for each of thousands takes Terraform seconds.
    condition     = can(regex("^(?:\\x22(?:[\\w+=,.@*?-]{2,64}|[*?])\\x22(?:,|$))*$", trim(jsonencode(var.additional_session_names), "[]")))
    error_message = "Each of additional_session_names must be a session name of 2 to 64 letters, digits and characters of _+=,.@-, or a pattern of these with * and ?. Wrong: ${join(", ", [for name in can(regex("^(?:\\x22(?:[\\w+=,.@*?-]{2,64}|[*?])\\x22(?:,|$))*$", trim(jsonencode(var.additional_session_names), "[]"))) ? [] : tolist(var.additional_session_names) : jsonencode(name) if !can(regex("^([\\w+=,.@*?-]{2,64}|[*?])$", name))])}."
  }

  validation {
    # The pattern as a regular expression: what is no wildcard stands for itself.
    condition = alltrue([for name in regexall("(?m)^(?:.*[*?].*|(?i:sagemaker))$", join("\n", compact(var.additional_session_names))) :
      !can(regex("(?i)^${replace(replace(replace(name, "/[.+]/", "\\$0"), "*", ".*"), "?", ".")}$", "SageMaker"))
    ])
    error_message = "None of additional_session_names may admit \"SageMaker\", in any case: unattributed calls have that session name. Write a narrower pattern, such as \"team-a-*\", instead of: ${join(", ", [for name in regexall("(?m)^(?:.*[*?].*|(?i:sagemaker))$", join("\n", compact(var.additional_session_names))) : jsonencode(name) if can(regex("(?i)^${replace(replace(replace(name, "/[.+]/", "\\$0"), "*", ".*"), "?", ".")}$", "SageMaker"))])}."
  }
}

variable "session_name_policies" {
  description = <<-EOT
    Needed for more names than the role's inline policies have room for, some 390: managed policies that list the names
    instead. Each of at most 25 inner lists makes one policy and holds prefixes. The policy lists the names that begin with
    one of its prefixes; a name that begins with no prefix is listed in each policy.
    `[["a", "b", "c"], ["d", "e"], ["f", "ga", "gb"]]` makes three policies, each for some 240 names of 20 characters. If
    the names don't fit, the plan's error proposes a value. The role's policy must deny all other names
    (`deny_unknown_session_names`).
  EOT
  type        = list(list(string))
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for prefix in flatten(var.session_name_policies) : can(regex("^[\\w+=,.@-]{1,63}$", prefix))])
    error_message = "Each prefix in session_name_policies must have 1 to 63 letters, digits and characters of _+=,.@- and no wildcard. Wrong: ${join(", ", [for prefix in flatten(var.session_name_policies) : jsonencode(prefix) if !can(regex("^[\\w+=,.@-]{1,63}$", prefix))])}."
  }

  validation {
    # What begins with two of them would be let pass by both their policies. In order, the next begins with it if any does.
    condition = alltrue(flatten([for ordered in [sort(flatten(var.session_name_policies))] : [
      for index, prefix in ordered : index == 0 || !startswith(prefix, ordered[max(index - 1, 0)])
    ]]))
    error_message = "No prefix in session_name_policies may begin with another one, or be listed twice. Make these longer, or remove them: ${join(", ", flatten([for ordered in [sort(flatten(var.session_name_policies))] : [
      for prefix in flatten(var.session_name_policies) : jsonencode(prefix) if try(startswith(ordered[index(ordered, prefix) + 1], prefix), false)
    ]]))}."
  }

  validation {
    condition     = length(var.session_name_policies) <= 25 && alltrue([for prefixes in var.session_name_policies : length(prefixes) > 0])
    error_message = "session_name_policies must be at most 25 lists, since a role can have no more managed policies, and each list must have a prefix. Merge or remove some."
  }
}

variable "attribution_mode" {
  description = "How calls are attributed to a notebook. `profile` uses a locked AWS config and covers the clients that follow it. `imds` uses a proxy in place of the metadata service and covers every client; the notebook's user can't reach the base session. `imds` also sets the notebook's name as source identity."
  type        = string
  default     = "profile"
  nullable    = false

  validation {
    condition     = contains(["profile", "imds"], var.attribution_mode)
    error_message = "attribution_mode must be \"profile\" (the default) or \"imds\"."
  }
}

variable "deny_unattributed_calls" {
  description = "Whether to attach a policy that denies everything to the base session except opening a notebook session and `unattributed_allowed_actions`. SageMaker's jobs run in a session of the same name as the base session, so they then need a role of their own. Terraform attaches the policy after the notebook instances have started."
  type        = bool
  default     = false
  nullable    = false
}

variable "outside_notebooks_are_attributed" {
  description = "Set this to true once every notebook instance outside this call that uses the role has been restarted with a lifecycle configuration of the module. `deny_unattributed_calls` needs it with an existing role or with `additional_session_names`, because from then on AWS refuses the calls of notebook instances that haven't been restarted so."
  type        = bool
  default     = false
  nullable    = false
}

variable "unattributed_allowed_actions" {
  description = "What the base session may still do with `deny_unattributed_calls`, as IAM actions with `*` and `?` as wildcards. The default, null, is what SageMaker itself does in the base session: `logs:CreateLogGroup`, `logs:CreateLogStream`, `logs:DescribeLogStreams` and `logs:PutLogEvents` for the logs of lifecycle scripts, and `cloudwatch:PutMetricData`. This input only exempts actions from the Deny; it allows nothing by itself."
  type        = set(string)
  default     = null

  validation {
    condition     = alltrue([for action in coalesce(var.unattributed_allowed_actions, []) : can(regex("^[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+$", action))])
    error_message = "Each of unattributed_allowed_actions must be an IAM action of one service, such as \"logs:PutLogEvents\" or \"logs:*\". Wrong: ${join(", ", [for action in coalesce(var.unattributed_allowed_actions, []) : jsonencode(action) if !can(regex("^[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+$", action))])}."
  }
}

variable "allow_pass_role" {
  description = "Whether the role's sessions may pass the role itself (`iam:PassRole`), if another of its policies allows it. By default the module denies it in imds mode and with `deny_unattributed_calls`: give jobs, models and endpoints a role of their own. With true, a notebook's user has the base session in every job that they create with the role, and calls made there can't be attributed."
  type        = bool
  default     = false
  nullable    = false
}

variable "allow_notebook_instance_changes" {
  description = "Whether the role's sessions may create, update, start, delete and open notebook instances and change lifecycle configurations, if another of the role's policies allows it. By default the module denies it in imds mode and with `deny_unattributed_calls`, but not describing, listing and stopping them. With true, a notebook's user can turn root access on, replace a start script, or open a colleague's notebook instance, and call under the colleague's name."
  type        = bool
  default     = false
  nullable    = false
}

variable "allow_role_changes" {
  description = "Whether the role's sessions may change the role, its policies and trust policy, and the versions of the account's managed policies, if another of the role's policies allows it. By default the module denies it in imds mode and with `deny_unattributed_calls`. With true, a notebook's user can remove everything that this module sets up on the role."
  type        = bool
  default     = false
  nullable    = false
}

variable "profiles" {
  description = <<-EOT
    Further profiles for the notebooks' AWS config, by name: those that `aws --profile NAME` and
    `boto3.Session(profile_name="NAME")` use. If a profile has `role_arn`, the notebook session assumes that role under the
    notebook's name, and calls are made in that role. Without `role_arn`, calls are made in the notebook session itself.
    Other settings: `region` (default: the notebook instance's), `output`, `external_id`, `duration_seconds` (900 to 3600),
    `max_attempts`, `retry_mode`, `use_dualstack_endpoint`, `use_fips_endpoint`. For example
    `{ reader = { role_arn = "arn:aws:iam::444455556666:role/reader" } }`.
  EOT
  type        = map(map(string))
  default     = {}
  nullable    = false
}

variable "extra_on_start" {
  description = "A script of your own that runs as root at every start, after attribution is set up. It runs in bash, unless its first line names another interpreter. It counts towards the 12,288 bytes of a lifecycle script; in imds mode it counts compressed. In both modes its calls are made in the base session, like all calls of root; one line in the script changes that (docs/operations.md)."
  type        = string
  default     = ""
  nullable    = false
}

variable "on_create" {
  description = "A script of your own that runs as root once, before the first start; null for none. Its calls are made in the base session, since attribution is set up only at the start, and `deny_unattributed_calls` refuses them."
  type        = string
  default     = null
}

variable "allow_start_without_attribution" {
  description = "Whether to start the notebook instance even if the on-start script can't set attribution up. With false, it doesn't start. With true, it starts, its calls can't be attributed, and its log says so."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "Tags for all resources."
  type        = map(string)
  default     = {}
  nullable    = false
}
