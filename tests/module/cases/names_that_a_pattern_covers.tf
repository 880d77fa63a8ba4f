module "names_that_a_pattern_covers" {
  source = "../../.."

  name                     = "team"
  notebook_instances       = { team-a-1 = {}, team-b-1 = {} }
  additional_session_names = ["team-a-*", "team-a-2", "a.b", "a?b", "axb"]
}
