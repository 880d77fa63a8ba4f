# What each case is planned with. A case is a call of the module in a file of its own, NAME.tf, with what it plans beside it,
# NAME.yaml: test_cases.py says how that is written. All of them are planned at once.

terraform {
  required_version = ">= 1.5"
}
