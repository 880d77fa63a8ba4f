# The view, and queries of it for the console. Its SQL is what `which-notebook sql athena` prints; a test holds both together.

locals {
  roles = join(", ", [for each in sort(var.role_names) : "'${each}'"])
  names = join(", ", [for each in sort(var.notebook_names) : "'${each}'"])
  known = length(var.notebook_names) == 0 ? local.possible_name : "session_name IN (${local.names})"
  # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html
  possible_name = "length(session_name) <= 63 AND regexp_like(session_name, '\\A[a-zA-Z0-9](-*[a-zA-Z0-9])*\\z')"

  view_sql = templatefile("${path.module}/notebook_calls.sql.tftpl", {
    table = "\"${local.database}\".\"${local.table}\""
    roles = "regexp_extract(role_arn, '[^/]+\\z') IN (${local.roles})"
    known = local.known
    # In imds mode a notebook instance's jobs have its name as their source identity.
    identity_known = length(var.notebook_names) == 0 ? "false" : "source_identity IN (${local.names})"
  })

  view_columns = concat(
    [for each in [
      "event_id", "event_time", "event_source", "event_name", "aws_region", "account_id", "notebook", "status", "session_name",
      "role_arn", "access_key_id", "source_ip_address", "vpc_endpoint_id", "user_agent", "error_code", "source_identity",
    ] : { name = each, type = "string", sql_type = "varchar" }],
    [
      { name = "resources", type = "array<string>", sql_type = "array(varchar)" },
    ],
    [for each in ["event_category", "user_profile", "on_behalf_of"] : { name = each, type = "string", sql_type = "varchar" }],
    [for each in local.partitions : { name = each, type = "string", sql_type = "varchar" }],
  )

  # A console that names no accounts can't ask a table with injected ones.
  of_an_account = var.account_ids == null ? "\n  AND account = '111122223333' -- yours" : ""
  of_a_week     = "day >= date_format(current_date - interval '7' day, '%Y/%m/%d')${local.of_an_account}"

  saved_queries = {
    "calls-by-notebook" = {
      description = "How many calls each notebook instance made in the last week, by event"
      query       = "SELECT notebook, status, event_source, event_name, count(DISTINCT event_id) AS calls\nFROM ${local.view}\nWHERE ${local.of_a_week}\nGROUP BY 1, 2, 3, 4\nORDER BY calls DESC"
    }
    "unattributed-calls" = {
      description = "Calls of the last week that can't be attributed to a notebook instance"
      query       = "SELECT *\nFROM ${local.view}\nWHERE ${local.of_a_week}\n  AND status IN ('unattributed', 'unknown-name')\nORDER BY event_time"
    }
  }
}

resource "aws_glue_catalog_table" "notebook_calls" {
  name          = local.view
  database_name = aws_glue_catalog_database.this.name
  description   = "Calls of the execution roles, with the notebook instance that made each"
  table_type    = "VIRTUAL_VIEW"

  parameters = { presto_view = "true", comment = "Presto View" }

  # As Athena itself keeps a view in Glue.
  view_original_text = "/* Presto View: ${base64encode(jsonencode({
    originalSql = local.view_sql
    catalog     = "awsdatacatalog"
    schema      = local.database
    columns     = [for each in local.view_columns : { name = each.name, type = each.sql_type }]
  }))} */"
  view_expanded_text = "/* Presto View */"

  storage_descriptor {
    dynamic "columns" {
      for_each = local.view_columns

      content {
        name = columns.value.name
        type = columns.value.type
      }
    }
  }

  depends_on = [aws_glue_catalog_table.logs]
}

resource "aws_athena_named_query" "this" {
  for_each = local.saved_queries

  name        = each.key
  description = each.value.description
  workgroup   = aws_athena_workgroup.this.id
  database    = aws_glue_catalog_database.this.name
  query       = each.value.query
}
