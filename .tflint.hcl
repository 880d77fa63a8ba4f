# tflint with all rules that are built into it. Those for AWS are a plugin, which it would download.
plugin "terraform" {
  enabled = true
  preset  = "all"
}

# An example stands in one file, to be read and copied whole.
rule "terraform_standard_module_structure" {
  enabled = false
}
