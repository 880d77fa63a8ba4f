# The script that the notebook instances run at every start, as it is rendered.

locals {
  # The script's settings, before the script as it stands in the file; and once without the owner's script, for the room
  # that there is for it. Windows checkouts and editors bring CRLF, which would break it on the instance.
  on_start_settings = { for part, extra_on_start in { all = var.extra_on_start, own = "" } : part => [
    for setting in concat(
      [
        ["ROLE_ARN", local.role_arn],
        ["ATTRIBUTION_MODE", var.attribution_mode],
        ["ALLOW_START_WITHOUT_ATTRIBUTION", tostring(var.allow_start_without_attribution)],
        ["EXTRA_ON_START", extra_on_start],
      ],
      length(local.profiles) == 0 ? [] : [["AWS_PROFILES", local.aws_profiles]],
    ) : "${setting[0]}='${replace(replace(setting[1], "\r\n", "\n"), "'", "'\\''")}'"
  ] }
  script_files = {
    for name in ["imds-mode.sh", "imds-proxy.py", "on-start.sh"] : name => replace(file("${path.module}/scripts/${name}"), "\r\n", "\n")
  }

  # Whoever finds the script in CloudTrail or on an instance reads here where it comes from.
  on_start_head = "#!/bin/bash\n# Makes the AWS calls of this notebook instance attributable: terraform-aws-sagemaker-notebook-attribution."

  on_start_in_profile_mode = { for part, settings in local.on_start_settings :
    part => join("\n", concat([local.on_start_head], settings, [local.script_files["on-start.sh"]]))
  }

  # The imds mode's files don't fit as they stand: they go without their comments, indentation and empty lines, without
  # what is the profile mode's, and compressed, with the owner's script. Python's indentation becomes a space a level, and
  # is left out within brackets.
  imds_files = { for name, text in local.script_files : name => replace(replace(replace(replace(replace(
    replace(text, "/(?s)\n# profile mode alone {\n.*\n# } profile mode alone\n/", "\n"),
    "/(?m)^ *(#( .*)?|\"\"\"[^\"]*\"\"\")\n/", ""),
    "/(?m)  # .*$/", ""),
    endswith(name, ".py") ? "/([(\\[{,])\n +/" : "/(?m)^ +/", "$1"),
    "    ", " "),
    "/\n\n+/", "\n"
  ) }
  # gzip finds what is damaged, by its checksum.
  on_start_in_imds_mode = { for part, settings in local.on_start_settings : part => join("\n", [
    "${local.on_start_head} To read it: base64 -d | gzip -d",
    "script=$(base64 -d <<<'${base64gzip(join("\n", concat(
      settings,
      ["IMDS_PROXY='${replace(local.imds_files["imds-proxy.py"], "'", "'\\''")}'"],
      [local.imds_files["imds-mode.sh"], local.imds_files["on-start.sh"]]
    )))}' | gzip -d) || {",
    "echo 'notebook-attribution: FAILED: the script is damaged. Repair: terraform apply.' >&2",
    "exit 1",
    "}",
    "eval \"$script\"",
    "",
  ]) }

  on_start_scripts = var.attribution_mode == "imds" ? local.on_start_in_imds_mode : local.on_start_in_profile_mode
  on_start         = local.on_start_scripts.all

  # There is always an on-create script. The provider removes one by leaving it out of the update, and what the API does
  # then isn't documented: if it kept the script, the next plan would show the removal again, and so on for ever.
  on_create = replace(coalesce(var.on_create, "#!/bin/bash\n# on_create isn't set: nothing to do.\n"), "\r\n", "\n")

  # SageMaker takes 16,384 characters of base64.
  lifecycle_script_limit = 12288
  lifecycle_script_bytes = {
    for hook, script in { on_start = local.on_start, own_on_start = local.on_start_scripts.own, on_create = local.on_create } :
    hook => length(base64encode(script)) / 4 * 3 - length(regex("=*$", base64encode(script)))
  }
  extra_on_start_room = local.lifecycle_script_limit - local.lifecycle_script_bytes.own_on_start
  # How the clients that root runs call in the notebook session.
  root_setting = var.attribution_mode == "imds" ? "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://169.254.255.254:254" : "AWS_CONFIG_FILE=/home/ec2-user/.aws/config"
}
