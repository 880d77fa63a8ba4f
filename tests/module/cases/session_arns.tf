module "session_arns" {
  source = "../../.."

  name                     = "team"
  role_path                = "/data/"
  notebook_instances       = { one = {} }
  additional_session_names = ["two", "team-a-*"]
}
