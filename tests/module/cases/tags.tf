module "tags" {
  source = "../../.."

  name               = "team"
  notebook_instances = { one = { tags = { owner = "ada" } } }
  tags               = { team = "a", owner = "nobody" }
}
