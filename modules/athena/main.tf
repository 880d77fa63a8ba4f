# CloudTrail's files as a table of Athena's: its partitions are calculated, so no crawler or job adds them.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

locals {
  database = replace(var.name, "-", "_")
  table    = "cloudtrail_logs"
  view     = "notebook_calls"

  prefix   = var.key_prefix == "" ? "" : "${var.key_prefix}/"
  location = "s3://${var.bucket}/${local.prefix}AWSLogs/${var.organization_id == null ? "" : "${var.organization_id}/"}"

  partitions = ["account", "region", "day"]

  # https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
  projection = merge(
    {
      "projection.enabled"           = "true"
      "projection.account.type"      = var.account_ids == null ? "injected" : "enum"
      "projection.region.type"       = "enum"
      "projection.region.values"     = join(",", sort(var.regions))
      "projection.day.type"          = "date"
      "projection.day.format"        = "yyyy/MM/dd"
      "projection.day.range"         = "${replace(var.first_day, "-", "/")},NOW"
      "projection.day.interval"      = "1"
      "projection.day.interval.unit" = "DAYS"
      "storage.location.template"    = "${local.location}$${account}/CloudTrail/$${region}/$${day}"
    },
    var.account_ids == null ? {} : { "projection.account.values" = join(",", sort(var.account_ids)) },
  )
}

resource "aws_glue_catalog_database" "this" {
  name        = local.database
  description = "CloudTrail's records, and which notebook instance made which call"
  tags        = var.tags
}

resource "aws_glue_catalog_table" "logs" {
  name          = local.table
  database_name = aws_glue_catalog_database.this.name
  description   = "CloudTrail's records, by account, region and day of delivery"
  table_type    = "EXTERNAL_TABLE"

  parameters = merge({ EXTERNAL = "TRUE", classification = "cloudtrail" }, local.projection)

  dynamic "partition_keys" {
    for_each = local.partitions

    content {
      name = partition_keys.value
      type = "string"
    }
  }

  # https://docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html
  storage_descriptor {
    location      = local.location
    input_format  = "com.amazon.emr.cloudtrail.CloudTrailInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    ser_de_info {
      serialization_library = "org.apache.hive.hcatalog.data.JsonSerDe"
    }

    dynamic "columns" {
      for_each = local.record_columns

      content {
        name = columns.value.name
        type = columns.value.type
      }
    }
  }
}

resource "aws_athena_workgroup" "this" {
  name        = var.name
  description = "Questions about which notebook instance made which call"
  tags        = var.tags

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.bytes_scanned_cutoff_per_query

    result_configuration {
      output_location = var.results_location

      encryption_configuration {
        encryption_option = var.results_kms_key_arn == null ? "SSE_S3" : "SSE_KMS"
        kms_key_arn       = var.results_kms_key_arn
      }
    }
  }
}
