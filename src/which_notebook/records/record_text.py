"""What is known of a record's text, before any of it is parsed."""

from __future__ import annotations

import re

# The first key of a record as CloudTrail writes it: where to go on behind damage.
RECORD_START = '{"eventVersion":'
# Longer than any record is.
LONGEST_VALUE = 16 * 1024 * 1024
# What names are made of, escaped; "=" and "+", "<", ">", "&" and "'" are escaped for HTML's sake.
ESCAPED_ASCII = re.compile(rb"\\u00(?:2[c-eC-E]|3[0-9]|4[0-9a-fA-F]|5[0-9afAF]|6[1-9a-fA-F]|7[0-9aA])")
