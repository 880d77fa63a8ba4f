variable "name" {
  description = "Prefix of the names of the role, its inline policies and the lifecycle configuration, where they have no input of their own."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", var.name))
    error_message = "name must be letters, digits and single or repeated hyphens between them, as a lifecycle configuration's name must. Write, for example, \"data-science\"."
  }

  validation {
    condition     = length(var.name) <= 51
    error_message = "name must have at most 51 characters: \"-attribution\" is put behind it, and a lifecycle configuration's name has at most 63."
  }
}

variable "notebook_instances" {
  description = <<-EOT
    The notebook instances to create: a map from each one's name, which is also the session name that CloudTrail shows,
    to its attributes. All attributes are optional, `null` stands for the default, and so does `null` in place of all
    attributes. They mean what they mean in `aws_sagemaker_notebook_instance`. A change that *replaces the instance*
    also deletes its volume, with everything in `/home/ec2-user/SageMaker`:
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
    - `tags`: a map of strings, on top of the module's `tags`.
    Root access has no attribute: it is always off, since root could undo the attribution.
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
  description = "Whether to create the execution role. With false, `role_arn` names an existing one."
  type        = bool
  default     = true
  nullable    = false
}

variable "role_arn" {
  description = "ARN, with its path, of an existing execution role in the provider's account. Needs `create_role = false`; the role's trust policy must then hold the statement of the output `role_trust_policy`, which `modules/trust-policy` also gives."
  type        = string
  default     = null

  validation {
    condition     = var.role_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/([!-~]+/)?[\\w+=,.@-]{1,64}$", var.role_arn))
    error_message = "role_arn must be the ARN of an IAM role, such as \"arn:aws:iam::111122223333:role/service-role/AmazonSageMaker-ExecutionRole\" (not the ARN of a session, which begins \"arn:aws:sts:\")."
  }
}

variable "verify_role_trust" {
  description = "Whether an existing role whose trust policy doesn't let the role assume itself, or lets one notebook call under another's name, or can't be judged by the module (it has a Deny, NotAction or NotPrincipal), is an error. With false, it is a warning: judge the trust policy yourself."
  type        = bool
  default     = true
  nullable    = false
}

variable "shared_role" {
  description = "The output `shared_role` of another call of the module, such as one in another region, that has the role's policies: this call then attaches none. Needs `create_role = false`, and the `attribution_mode` of that call. That call's `additional_session_names` must hold the names of this one, and its `deny_unattributed_calls` decides what the base session may do."
  type = object({
    attribution_mode = string
    session_names    = set(string)
  })
  default = null
}

variable "deny_unknown_session_names" {
  description = "Whether the role's policy denies all session names but those of this call, also where another policy of the role allows `sts:AssumeRole`. Default: true for a created role. For an existing role the default is false, since several calls of the module may share it, each with a policy of its own: the Deny of one would refuse the names of the others."
  type        = bool
  default     = null
}

variable "attach_logs_policy" {
  description = "Whether to attach a policy that lets SageMaker write the notebook instances' logs, `/aws/sagemaker/NotebookInstances`, with the role. Without it, or one like it, the log of the on-start script is missing."
  type        = bool
  default     = true
  nullable    = false
}

variable "role_name" {
  description = "Name of the created role. Default: `name` and `-execution`."
  type        = string
  default     = null

  validation {
    condition     = var.role_name == null || can(regex("^[\\w+=,.@-]{1,64}$", var.role_name))
    error_message = "role_name must have 1 to 64 letters, digits and characters of _+=,.@-. Write, for example, \"data-science-execution\"."
  }
}

variable "policy_name" {
  description = "Name of the inline policy by which the role assumes itself. Default: `name` and `-assume-self`; for an existing role the lifecycle configuration's name stands in `name`'s place where it is given, and the region at the end, so that no two calls write the same policy. Only for a role that no other call of the module uses: two calls that give the same name would overwrite each other's policy. So an existing role needs `deny_unknown_session_names = true` beside it, and a created one takes no `deny_unknown_session_names = false`."
  type        = string
  default     = null

  validation {
    condition     = var.policy_name == null || can(regex("^[\\w+=,.@-]{1,128}$", var.policy_name))
    error_message = "policy_name must have 1 to 128 letters, digits and characters of _+=,.@-. Write, for example, \"data-science-assume-self\"."
  }
}

variable "lifecycle_configuration_name" {
  description = "Name of the lifecycle configuration. Default: `name` and `-attribution`."
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
  description = "Path of the created role and of the policies of `session_name_policies`; an error with `create_role = false`. A role has its name in all paths of an account, so a changed path needs a changed `name` or `role_name` too."
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
    error_message = "role_path must not contain *, ? or $: they have a meaning of their own in a policy."
  }
}

variable "role_permissions_boundary" {
  description = "ARN of the managed policy that bounds the created role's permissions; an error with `create_role = false`. It must allow `sts:AssumeRole` on the role itself, and in imds mode `sts:SetSourceIdentity`."
  type        = string
  default     = null

  validation {
    condition     = var.role_permissions_boundary == null || can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$", var.role_permissions_boundary))
    error_message = "role_permissions_boundary must be the ARN of a managed policy, such as \"arn:aws:iam::111122223333:policy/boundary\"."
  }
}

variable "role_policy_arns" {
  description = "Managed policies to attach to the role: what the notebooks may do. The keys are yours and static, such as `s3 = \"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess\"`; the ARNs may come from resources."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "additional_session_names" {
  description = "Names of notebook instances outside this module that share the role. `*` and `?` are wildcards: `team-a-*` admits every name that begins so, also names of instances that don't exist."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    # One regular expression for all of them: one for each of thousands takes Terraform seconds.
    condition     = can(regex("^(?:\"(?:[\\w+=,.@*?-]{2,64}|[*?])\"(?:,|$))*$", trim(jsonencode(var.additional_session_names), "[]")))
    error_message = "Each of additional_session_names must be a session name of 2 to 64 letters, digits and characters of _+=,.@- or a pattern of such with * and ?. Wrong: ${join(", ", [for name in can(regex("^(?:\"(?:[\\w+=,.@*?-]{2,64}|[*?])\"(?:,|$))*$", trim(jsonencode(var.additional_session_names), "[]"))) ? [] : tolist(var.additional_session_names) : jsonencode(name) if !can(regex("^([\\w+=,.@*?-]{2,64}|[*?])$", name))])}."
  }

  validation {
    # The pattern as a regular expression: what is no wildcard stands for itself.
    condition = alltrue([for name in regexall("(?m)^(?:.*[*?].*|(?i:sagemaker))$", join("\n", compact(var.additional_session_names))) :
      !can(regex("(?i)^${replace(replace(replace(name, "/[.+]/", "\\$0"), "*", ".*"), "?", ".")}$", "SageMaker"))
    ])
    error_message = "None of additional_session_names may admit \"SageMaker\", in any case: that is the session name of all that isn't attributed. Write a narrower pattern, such as \"team-a-*\", instead of: ${join(", ", [for name in regexall("(?m)^(?:.*[*?].*|(?i:sagemaker))$", join("\n", compact(var.additional_session_names))) : jsonencode(name) if can(regex("(?i)^${replace(replace(replace(name, "/[.+]/", "\\$0"), "*", ".*"), "?", ".")}$", "SageMaker"))])}."
  }
}

variable "session_name_policies" {
  description = <<-EOT
    For more names than the role's inline policies take, some 390: managed policies that list the names instead, up to 25,
    each as a list of prefixes. It lists the names that begin with one of them; a name that begins with none stands in each
    policy. `[["a", "b", "c"], ["d", "e"], ["f", "ga", "gb"]]` makes three, each for some 240 names of 20 characters. The
    error about names that don't fit proposes a value. Needs that the role's policy denies all other names
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
    error_message = "No prefix in session_name_policies may begin with another one, or stand there twice. Make these longer, or remove them: ${join(", ", flatten([for ordered in [sort(flatten(var.session_name_policies))] : [
      for prefix in flatten(var.session_name_policies) : jsonencode(prefix) if try(startswith(ordered[index(ordered, prefix) + 1], prefix), false)
    ]]))}."
  }

  validation {
    condition     = length(var.session_name_policies) <= 25 && alltrue([for prefixes in var.session_name_policies : length(prefixes) > 0])
    error_message = "session_name_policies must be at most 25 lists, since a role can have no more managed policies, and each list must have a prefix. Merge or remove some."
  }
}

variable "attribution_mode" {
  description = "How a notebook's calls get their session. `profile`: by a locked AWS config, for the clients that follow it. `imds`: by a proxy in the metadata service's place, for every client, and with the base session out of the reach of the notebook's user; it also sets the notebook's name as source identity."
  type        = string
  default     = "profile"
  nullable    = false

  validation {
    condition     = contains(["profile", "imds"], var.attribution_mode)
    error_message = "attribution_mode must be \"profile\" (the default) or \"imds\"."
  }
}

variable "deny_unattributed_calls" {
  description = "Whether to attach a policy that refuses to the base session all but the handshake and `unattributed_allowed_actions`. SageMaker's jobs run in a session of the same name as the base session's: they then need a role of their own. The policy is attached after the notebook instances have started."
  type        = bool
  default     = false
  nullable    = false
}

variable "outside_notebooks_are_attributed" {
  description = "Say true here once every notebook instance outside this call that uses the role has been restarted with a lifecycle configuration of the module. `deny_unattributed_calls` needs it with an existing role or `additional_session_names`: the calls of other notebook instances are refused from then on."
  type        = bool
  default     = false
  nullable    = false
}

variable "unattributed_allowed_actions" {
  description = "What the base session may still do under `deny_unattributed_calls`, as IAM actions with `*` and `?` as wildcards. The default, null, is what SageMaker itself does in it: `logs:CreateLogGroup`, `logs:CreateLogStream`, `logs:DescribeLogStreams` and `logs:PutLogEvents` for the logs of lifecycle scripts, and `cloudwatch:PutMetricData`. It allows nothing by itself."
  type        = set(string)
  default     = null

  validation {
    condition     = alltrue([for action in coalesce(var.unattributed_allowed_actions, []) : can(regex("^[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+$", action))])
    error_message = "Each of unattributed_allowed_actions must be an IAM action of one service, such as \"logs:PutLogEvents\" or \"logs:*\". Wrong: ${join(", ", [for action in coalesce(var.unattributed_allowed_actions, []) : jsonencode(action) if !can(regex("^[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+$", action))])}."
  }
}

variable "allow_pass_role" {
  description = "Whether the role's sessions may pass the role itself (`iam:PassRole`), if another of its policies allows that. The default denies it in imds mode and with `deny_unattributed_calls`: give jobs, models and endpoints a role of their own. With true, a notebook's user has the base session in every job that they create with the role, and calls made there can't be attributed."
  type        = bool
  default     = false
  nullable    = false
}

variable "allow_notebook_instance_changes" {
  description = "Whether the role's sessions may create, update, start, delete and open notebook instances and change lifecycle configurations, if another of the role's policies allows that. The default denies it in imds mode and with `deny_unattributed_calls`; describing, listing and stopping them stays allowed. With true, a notebook's user can turn root access on, replace a start script, or open a colleague's notebook instance, and call under the colleague's name."
  type        = bool
  default     = false
  nullable    = false
}

variable "allow_role_changes" {
  description = "Whether the role's sessions may change the role, its policies and trust policy, and the versions of the account's managed policies, if another of the role's policies allows that. The default denies it in imds mode and with `deny_unattributed_calls`. With true, a notebook's user can remove all that this module sets up on the role."
  type        = bool
  default     = false
  nullable    = false
}

variable "profiles" {
  description = <<-EOT
    Further profiles for the notebooks' AWS config, by name: what `aws --profile NAME` and `boto3.Session(profile_name="NAME")`
    use. With `role_arn`, calls are made in that role, which the notebook session assumes under the notebook's name; without
    it, in the notebook session itself. Other settings: `region` (default: the notebook instance's), `output`, `external_id`,
    `duration_seconds` (900 to 3600), `max_attempts`, `retry_mode`, `use_dualstack_endpoint`, `use_fips_endpoint`. For
    example `{ reader = { role_arn = "arn:aws:iam::444455556666:role/reader" } }`.
  EOT
  type        = map(map(string))
  default     = {}
  nullable    = false
}

variable "extra_on_start" {
  description = "A script of your own, run as root at every start after attribution is set up; in bash, unless its first line names another interpreter. It counts towards the 12,288 bytes of a lifecycle script; in imds mode it counts compressed. It calls in the base session, in both modes, as all that root runs does; a line of it changes that (docs/operations.md)."
  type        = string
  default     = ""
  nullable    = false
}

variable "on_create" {
  description = "A script of your own, run as root once, before the first start; null for none. It calls in the base session, since attribution is set up only at the start; `deny_unattributed_calls` refuses those calls."
  type        = string
  default     = null
}

variable "allow_start_without_attribution" {
  description = "What happens when the on-start script can't set attribution up: with false the notebook instance doesn't start; with true it starts, its calls can't be attributed, and its log says so."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
