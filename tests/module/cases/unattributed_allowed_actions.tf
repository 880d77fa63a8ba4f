module "unattributed_allowed_actions" {
  source = "../../.."

  name                         = "team"
  deny_unattributed_calls      = true
  unattributed_allowed_actions = ["s3:Get*"]
}
