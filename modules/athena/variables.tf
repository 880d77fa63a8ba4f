variable "name" {
  description = "Name of the workgroup. The database has the same name with `_` instead of `-`."
  type        = string
  default     = "notebook-attribution"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$", var.name))
    error_message = "name must consist of lower-case letters and digits, with hyphens only between them, and have at most 64 characters: it is the name of a workgroup and a database. Write, for example, \"notebook-attribution\"."
  }
}

variable "bucket" {
  description = "The bucket that the trail fills."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket must be a bucket's name, without s3:// and without a path. Write, for example, \"audit-logs\"."
  }
}

variable "key_prefix" {
  description = "The trail's key prefix: the part before `AWSLogs` in the keys of its files."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([\\w!.*'()-]+(/[\\w!.*'()-]+)*)?$", var.key_prefix))
    error_message = "key_prefix must be the trail's key prefix, without a slash at its start or end. Write, for example, \"cloudtrail\"; \"\" if the keys begin with AWSLogs."
  }
}

variable "organization_id" {
  description = "The organization's id, if the trail is an organization's: its files are in a folder of that name."
  type        = string
  default     = null

  validation {
    condition     = var.organization_id == null || can(regex("^o-[a-z0-9]{10,32}$", var.organization_id))
    error_message = "organization_id must be an organization's id, such as \"o-a1b2c3d4e5\" (`aws organizations describe-organization` prints it)."
  }
}

variable "account_ids" {
  description = "The accounts that the trail records. Null for any account: each query must then name its accounts (`--account`, or `account = '…'` in the WHERE clause), since Athena can't list them."
  type        = set(string)

  validation {
    condition     = var.account_ids == null || try(length(var.account_ids) > 0 && alltrue([for each in var.account_ids : can(regex("^[0-9]{12}$", each))]), false)
    error_message = "account_ids must have at least one element, and each must be an account id of 12 digits. Write, for example, [\"111122223333\"]; null for any account."
  }
}

variable "regions" {
  description = "The regions that the trail records and that queries search."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.regions) > 0 && alltrue([for each in var.regions : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", each))])
    error_message = "regions must have at least one element, and each must be a region's name. Write, for example, [\"us-east-1\", \"eu-central-1\"]."
  }
}

variable "first_day" {
  description = "The first day that has logs, as `YYYY-MM-DD`. Queries that name no day read all days from this one on."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^20[0-9]{2}-[0-9]{2}-[0-9]{2}$", var.first_day)) && can(formatdate("YYYY", "${var.first_day}T00:00:00Z"))
    error_message = "first_day must be a day, written as YYYY-MM-DD. Write, for example, \"2026-01-01\"."
  }
}

variable "role_names" {
  description = "Names of the execution roles whose calls the view `notebook_calls` shows."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.role_names) > 0 && alltrue([for each in var.role_names : can(regex("^[\\w+=,.@-]{1,64}$", each))])
    error_message = "role_names must have at least one element, and each must be the name of an IAM role, not an ARN. Write, for example, [\"data-science-execution\"]."
  }
}

variable "notebook_names" {
  description = "The names of your notebook instances. Other session names have the status `unknown-name`. If empty, every name that a notebook instance can have counts."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for each in var.notebook_names : length(each) <= 63 && can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", each))])
    error_message = "notebook_names must be names of notebook instances: letters, digits and hyphens between them, at most 63. Write, for example, [\"fraud-model\"]."
  }
}

variable "results_location" {
  description = "Where the workgroup writes the results of queries, such as `s3://athena-results/notebooks/`. The results contain records of the trail: keep them from people who may not read the trail, and let them expire."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/([!-~]*/)?$", var.results_location))
    error_message = "results_location must be an S3 location that ends in a slash. Write, for example, \"s3://athena-results/notebooks/\"."
  }

  validation {
    condition     = !can(regex("/AWSLogs/", var.results_location))
    error_message = "results_location must not be below AWSLogs/: queries would read their own results as logs."
  }
}

variable "results_kms_key_arn" {
  description = "ARN of the KMS key that encrypts the results. If null, S3's own key encrypts them."
  type        = string
  default     = null

  validation {
    condition     = var.results_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+$", var.results_kms_key_arn))
    error_message = "results_kms_key_arn must be the ARN of a KMS key, not an alias, such as \"arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab\"."
  }
}

variable "bytes_scanned_cutoff_per_query" {
  description = "How many bytes a query may scan before Athena stops it. The default is 100 GB, about 0.50 USD."
  type        = number
  default     = 107374182400
  nullable    = false

  validation {
    condition     = var.bytes_scanned_cutoff_per_query >= 10485760 && floor(var.bytes_scanned_cutoff_per_query) == var.bytes_scanned_cutoff_per_query
    error_message = "bytes_scanned_cutoff_per_query must be a whole number of bytes, 10485760 (10 MB) or more: Athena accepts no less."
  }
}

variable "tags" {
  description = "Tags for all resources."
  type        = map(string)
  default     = {}
  nullable    = false
}
