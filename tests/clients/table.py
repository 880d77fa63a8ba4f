"""The table of docs/clients.md: what each client's calls are, by mode."""

from document_table import Table
from workspace import CHECKOUT

COLUMNS = ("profile", "imds", "enforced-profile", "enforced-imds")
CLIENT_TABLE = Table(CHECKOUT / "docs" / "clients.md", "client")
