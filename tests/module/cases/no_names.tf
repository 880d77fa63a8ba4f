module "no_names" {
  source = "../../.."

  name = "team"
}
