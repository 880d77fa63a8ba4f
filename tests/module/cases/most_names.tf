module "most_names" {
  source = "../../.."

  name                     = "team"
  additional_session_names = [for number in range(390) : format("notebook-%011d", number)]
}
