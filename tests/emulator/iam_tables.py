"""What operations work on, and the names of their IAM actions, by the Service Authorization Reference."""

from __future__ import annotations

# What an operation works on: patterns of operation names in order, the first one holds. A resource is "*" where IAM
# knows none for the action, or a template over the request's parameters and the fields that iam_actions.py adds.

_NOTEBOOK = "arn:{partition}:sagemaker:{region}:{account}:notebook-instance/{NotebookInstanceName}"
_LIFECYCLE = (
    "arn:{partition}:sagemaker:{region}:{account}:"
    "notebook-instance-lifecycle-config/{NotebookInstanceLifecycleConfigName}"
)
_STUDIO = "arn:{partition}:sagemaker:{region}:{account}:"
_LOG_STREAM = "arn:{partition}:logs:{region}:{account}:log-group:{logGroupName}:log-stream:{log_stream}"
_BUCKET = "arn:{partition}:s3:::{Bucket}"
OBJECT = "arn:{partition}:s3:::{Bucket}/{Key}"

RESOURCES: dict[str, tuple[tuple[str, str], ...]] = {
    "cloudtrail": (("LookupEvents", "*"), ("DescribeTrails", "*"), ("ListTrails", "*")),
    "cloudwatch": (("PutMetricData", "*"), ("GetMetric*", "*"), ("ListMetrics", "*")),
    "dynamodb": (
        ("ListTables", "*"),
        ("DescribeLimits", "*"),
        ("DescribeEndpoints", "*"),
        ("*Resource", "{ResourceArn}"),
        ("ListTagsOfResource", "{ResourceArn}"),
        ("Query", "{table}{index}"),
        ("Scan", "{table}{index}"),
        ("*Item", "{table}"),
        ("*Table", "{table}"),
        ("DescribeTimeToLive", "{table}"),
        ("UpdateTimeToLive", "{table}"),
        ("DescribeContinuousBackups", "{table}"),
    ),
    "ec2": (("Describe*", "*"),),
    "iam": (
        *((f"List{kind}", "*") for kind in ("Roles", "Policies", "Users", "Groups", "InstanceProfiles")),
        ("ListAccountAliases", "*"),
        ("GetAccount*", "*"),
        ("*InstanceProfile", "{instance-profile}"),
        ("GetPolicy*", "{PolicyArn}"),
        ("*PolicyVersion", "{PolicyArn}"),
        ("ListPolicyVersions", "{PolicyArn}"),
        ("*tagPolicy", "{PolicyArn}"),
        ("TagPolicy", "{PolicyArn}"),
        ("ListPolicyTags", "{PolicyArn}"),
        ("ListEntitiesForPolicy", "{PolicyArn}"),
        ("DeletePolicy", "{PolicyArn}"),
        ("CreatePolicy", "arn:{partition}:iam::{account}:policy{path}{PolicyName}"),
        ("CreateRole", "arn:{partition}:iam::{account}:role{path}{RoleName}"),
        ("CreateUser", "arn:{partition}:iam::{account}:user{path}{UserName}"),
        ("*Role*", "{role}"),
        ("UpdateAssumeRolePolicy", "{role}"),
        ("*Group", "{group}"),
        ("*User*", "{user}"),
        ("*AccessKey*", "{user}"),
        ("*Group*", "{group}"),
    ),
    "kms": (
        ("ListKeys", "*"),
        ("ListAliases", "*"),
        ("CreateKey", "*"),
        ("GenerateRandom", "*"),
        ("*", "{key}"),
    ),
    "lambda": (
        ("ListFunctions", "*"),
        ("GetAccountSettings", "*"),
        ("*Function", "{function}"),
        ("*FunctionCode", "{function}"),
        ("*FunctionConfiguration", "{function}"),
        ("*Permission", "{function}"),
        ("GetPolicy", "{function}"),
    ),
    "logs": (
        ("DescribeLogGroups", "*"),
        ("*LogStream*", _LOG_STREAM),
        ("*LogGroup", _LOG_STREAM),
        ("*LogEvents", _LOG_STREAM),
        ("*RetentionPolicy", _LOG_STREAM),
    ),
    "s3": (
        ("ListBuckets", "*"),
        ("*Object", OBJECT),
        ("*ObjectAcl", OBJECT),
        ("*ObjectTagging", OBJECT),
        ("*ObjectRetention", OBJECT),
        ("*ObjectLegalHold", OBJECT),
        ("*MultipartUpload", OBJECT),
        ("UploadPart", OBJECT),
        ("ListParts", OBJECT),
        ("ListObjects*", _BUCKET),
        ("ListObjectVersions", _BUCKET),
        ("ListMultipartUploads", _BUCKET),
        ("*ObjectLockConfiguration", _BUCKET),
        ("*PublicAccessBlock", _BUCKET),
        ("*Bucket*", _BUCKET),
    ),
    "sagemaker": (
        ("*Tags", "{ResourceArn}"),
        ("List*", "*"),
        ("*NotebookInstanceLifecycleConfig", _LIFECYCLE),
        ("*NotebookInstance", _NOTEBOOK),
        ("CreatePresignedNotebookInstanceUrl", _NOTEBOOK),
        ("CreateDomain", _STUDIO + "domain/*"),
        ("*Domain", _STUDIO + "domain/{DomainId}"),
        ("CreatePresignedDomainUrl", _STUDIO + "user-profile/{DomainId}/{UserProfileName}"),
        ("*UserProfile", _STUDIO + "user-profile/{DomainId}/{UserProfileName}"),
        ("*Space", _STUDIO + "space/{DomainId}/{SpaceName}"),
        ("*App", _STUDIO + "app/{DomainId}/{owner}/{AppType}/{AppName}"),
        ("*TrainingJob", "arn:{partition}:sagemaker:{region}:{account}:training-job/{TrainingJobName}"),
        ("*ProcessingJob", "arn:{partition}:sagemaker:{region}:{account}:processing-job/{ProcessingJobName}"),
    ),
    "secretsmanager": (
        ("ListSecrets", "*"),
        ("GetRandomPassword", "*"),
        ("CreateSecret", "arn:{partition}:secretsmanager:{region}:{account}:secret:{Name}-??????"),
        ("*", "{secret}"),
    ),
    "sqs": (
        ("ListQueues", "*"),
        ("CreateQueue", "arn:{partition}:sqs:{region}:{account}:{QueueName}"),
        ("GetQueueUrl", "arn:{partition}:sqs:{region}:{account}:{QueueName}"),
        ("*", "{queue}"),
    ),
    "ssm": (
        ("DescribeParameters", "*"),
        ("GetParametersByPath", "{parameter_path}"),
        ("*Parameter", "{parameter}"),
        ("GetParameterHistory", "{parameter}"),
    ),
    "sts": (("DecodeAuthorizationMessage", "*"), ("GetAccessKeyInfo", "*")),
}

# Operations whose permission has another name. https://docs.aws.amazon.com/AmazonS3/latest/API/ says so for each.
OTHER_NAMES: dict[str, dict[str, str]] = {
    "lambda": {"Invoke": "InvokeFunction"},
    "s3": {
        "ListBuckets": "ListAllMyBuckets",
        "HeadBucket": "ListBucket",
        "ListObjects": "ListBucket",
        "ListObjectsV2": "ListBucket",
        "ListObjectVersions": "ListBucketVersions",
        "ListMultipartUploads": "ListBucketMultipartUploads",
        "HeadObject": "GetObject",
        "SelectObjectContent": "GetObject",
        "CreateMultipartUpload": "PutObject",
        "CompleteMultipartUpload": "PutObject",
        "UploadPart": "PutObject",
        "ListParts": "ListMultipartUploadParts",
        "GetBucketEncryption": "GetEncryptionConfiguration",
        "PutBucketEncryption": "PutEncryptionConfiguration",
        "DeleteBucketEncryption": "PutEncryptionConfiguration",
        "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
        "DeleteBucketLifecycle": "PutLifecycleConfiguration",
        "GetBucketReplication": "GetReplicationConfiguration",
        "PutBucketReplication": "PutReplicationConfiguration",
        "DeleteBucketReplication": "PutReplicationConfiguration",
        "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
        "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
        "GetBucketNotificationConfiguration": "GetBucketNotification",
        "PutBucketNotificationConfiguration": "PutBucketNotification",
        "DeleteBucketTagging": "PutBucketTagging",
        "DeleteBucketCors": "PutBucketCORS",
        "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
        "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
        "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
        "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
        "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    },
    "sqs": {
        "SendMessageBatch": "SendMessage",
        "DeleteMessageBatch": "DeleteMessage",
        "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    },
}

ON_A_VERSION = {
    "GetObject": "GetObjectVersion",
    "HeadObject": "GetObjectVersion",
    "DeleteObject": "DeleteObjectVersion",
    "GetObjectTagging": "GetObjectVersionTagging",
}
