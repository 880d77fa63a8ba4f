output "source" {
  description = "The source for `which-notebook`: `athena://WORKGROUP/DATABASE/TABLE`."
  value       = "athena://${aws_athena_workgroup.this.name}/${aws_glue_catalog_database.this.name}/${aws_glue_catalog_table.logs.name}"
}

output "workgroup_name" {
  description = "Name of the workgroup."
  value       = aws_athena_workgroup.this.name
}

output "workgroup_arn" {
  description = "ARN of the workgroup, for the policies of the people who may run queries."
  value       = aws_athena_workgroup.this.arn
}

output "database_name" {
  description = "Name of the Glue database."
  value       = aws_glue_catalog_database.this.name
}

output "table_name" {
  description = "Name of the table of CloudTrail's records."
  value       = aws_glue_catalog_table.logs.name
}

output "view_name" {
  description = "Name of the view `notebook_calls`, whose columns are the fields of a call."
  value       = aws_glue_catalog_table.notebook_calls.name
}
