variable "role_arn" {
  description = "ARN, with its path, of the execution role, which need not exist yet, such as `arn:aws:iam::111122223333:role/service-role/AmazonSageMaker-ExecutionRole`. Compose it from the account's id and the role's name: a reference to the role resource's attribute would be a cycle."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/([!-~]+/)?[\\w+=,.@-]{1,64}$", var.role_arn)) && !can(regex("[*?$]", var.role_arn))
    error_message = "role_arn must be the ARN of an IAM role, such as \"arn:aws:iam::111122223333:role/service-role/AmazonSageMaker-ExecutionRole\"."
  }
}
