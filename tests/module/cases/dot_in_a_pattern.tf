module "dot_in_a_pattern" {
  source = "../../.."

  name                     = "team"
  additional_session_names = ["a.*", "axy", "a.y"]
}
