module "policies" {
  source = "../../.."

  name               = "team"
  role_path          = "/data/science/"
  notebook_instances = { one = {} }
}
