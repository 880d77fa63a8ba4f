module "deny_unattributed_calls" {
  source = "../../.."

  name                    = "team"
  deny_unattributed_calls = true
}
