module "minimal" {
  source = "../../.."

  name               = "team"
  notebook_instances = { one = {}, two = {} }
}
