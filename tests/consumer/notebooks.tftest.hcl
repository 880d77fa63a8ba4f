mock_provider "aws" {
  source = "../mocks"
}

run "forecast_is_attributed" {
  assert {
    condition     = output.session_arns["forecast"] == "arn:aws:sts::111122223333:assumed-role/finance-execution/forecast"
    error_message = "The calls of `forecast` must carry its name."
  }
}
