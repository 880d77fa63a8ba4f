# Further profiles of the notebooks' AWS config. Their calls start from the notebook session, never from the base session.

locals {
  # The settings that a profile may have, each with what its value must match. Any other might undo the attribution
  # (credential_process, role_session_name, static keys) or begin a line of its own.
  profile_settings = {
    duration_seconds       = "^(9[0-9]{2}|[12][0-9]{3}|3[0-5][0-9]{2}|3600)$"
    external_id            = "^[\\w+=,.@:/-]{2,}$"
    max_attempts           = "^[1-9][0-9]?$"
    output                 = "^(json|table|text|yaml|yaml-stream)$"
    region                 = "^[a-z]+(-[a-z0-9]+)+$"
    retry_mode             = "^(adaptive|legacy|standard)$"
    role_arn               = "^arn:aws[a-z-]*:iam::[0-9]{12}:role/([!-~]+/)?[\\w+=,.@-]{1,64}$"
    use_dualstack_endpoint = "^(false|true)$"
    use_fips_endpoint      = "^(false|true)$"
  }

  profiles = { for name, given in var.profiles : name => given == null ? tomap({}) : given }

  # Where the credentials come from. Clients don't take what a profile lacks from the default profile: in profile mode, one
  # without a role would call in the base session.
  profile_credentials = {
    profile = {
      own_role   = { role_arn = local.role_arn, credential_source = "Ec2InstanceMetadata", role_session_name = "@name@" }
      other_role = { source_profile = "default", role_session_name = "@name@" }
    }
    imds = {
      own_role   = {}
      other_role = { credential_source = "Ec2InstanceMetadata", role_session_name = "@name@" }
    }
  }

  # The script writes the notebook instance's name and region in place of @name@ and @region@.
  aws_profiles = join("", flatten([
    for name, given in local.profiles : ["[profile ${name}]\n", [
      for key, value in merge(
        { region = "@region@", sts_regional_endpoints = "regional" },
        local.profile_credentials[var.attribution_mode][contains(keys(given), "role_arn") ? "other_role" : "own_role"],
        given
      ) : "${key} = ${value}\n"
    ]]
  ]))

  wrong_profile_names = [for name in keys(local.profiles) : jsonencode(name) if name == "default" || !can(regex("^[\\w.@-]+$", name))]

  unknown_profile_settings = flatten([
    for name, given in local.profiles : [for key in keys(given) : "${jsonencode(key)} in ${jsonencode(name)}" if !contains(keys(local.profile_settings), key)]
  ])

  wrong_profile_values = flatten([
    for name, given in local.profiles : [
      for key, value in given : "${key} in ${jsonencode(name)}, ${jsonencode(value)}" if !can(regex(lookup(local.profile_settings, key, ""), value))
    ]
  ])
}
