module "most_names_in_imds_mode" {
  source = "../../.."

  name                             = "team"
  additional_session_names         = [for number in range(330) : format("notebook-%011d", number)]
  attribution_mode                 = "imds"
  deny_unattributed_calls          = true
  outside_notebooks_are_attributed = true
}
