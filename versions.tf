terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 5.100 is the last 5.x and the one that the tests run. 6.x takes the same arguments.
      version = ">= 5.100, < 7.0"
    }
  }
}
