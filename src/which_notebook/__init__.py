"""Says, from CloudTrail, which SageMaker notebook instance made which API call."""

__version__ = "0.3.0"
