"""Query engines: the records lie in a table, and a query picks those that are asked for."""
