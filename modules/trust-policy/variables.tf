variable "role_arn" {
  description = "ARN, with its path, that the execution role has or will have, such as `arn:aws:iam::111122223333:role/service-role/AmazonSageMaker-ExecutionRole`. Write it out from the account's id and the role's name: the attribute of a role resource would make a cycle."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/([!-~]+/)?[\\w+=,.@-]{1,64}$", var.role_arn)) && !can(regex("[*?$]", var.role_arn))
    error_message = "role_arn must be the ARN of an IAM role, such as \"arn:aws:iam::111122223333:role/service-role/AmazonSageMaker-ExecutionRole\"."
  }
}
