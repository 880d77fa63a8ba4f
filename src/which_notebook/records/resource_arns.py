"""How the parameters of a service's calls mean its resources: one row for each, by event source. A new one is a row here.

A row under `service:Event` is of that call only. In braces stands a parameter, by its path from `requestParameters`: `a.b`
goes into an object, `a[]` through a list, `a{}` through an object's names; behind a bar, how its text is read, see
`resources`. `glue database/…` is short for an ARN of the call's partition, region and account.

The ARNs have the forms of AWS's service authorization reference, with which a test compares them:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

_IAM = "arn:{partition}:iam::{account}:"

ARNS: dict[str, tuple[str, ...]] = {
    "athena": (
        "athena workgroup/{workGroup}",
        "glue database/{queryExecutionContext.database}",
        "glue database/{databaseName}",
        "glue table/{databaseName}/{tableName}",
        "arn:{partition}:s3:::{resultConfiguration.outputLocation|s3_url}",
    ),
    "athena:GetWorkGroup": ("athena workgroup/{name}",),
    "bedrock": ("arn:{partition}:bedrock:{region}::foundation-model/{modelId|model}",),
    "codecommit": ("arn:{partition}:codecommit:{region}:{account}:{repositoryName}",),
    "dynamodb": (
        "dynamodb table/{tableName}",
        "dynamodb table/{requestItems{}}",
        "dynamodb table/{transactItems[].get.tableName}",
        "dynamodb table/{transactItems[].put.tableName}",
        "dynamodb table/{transactItems[].update.tableName}",
        "dynamodb table/{transactItems[].delete.tableName}",
    ),
    "ec2": (
        "ec2 instance/{instancesSet.items[].instanceId}",
        "ec2 network-interface/{networkInterfaceId}",
        "arn:{partition}:ec2:{region}::snapshot/{snapshotId}",
        "ec2 volume/{volumeId}",
    ),
    "ecr": ("ecr repository/{repositoryName|path}",),
    "elasticfilesystem": ("elasticfilesystem file-system/{fileSystemId}",),
    "elasticmapreduce": ("elasticmapreduce cluster/{clusterId}", "elasticmapreduce cluster/{jobFlowId}"),
    "firehose": ("firehose deliverystream/{deliveryStreamName}",),
    "glue": (
        "glue database/{databaseName}",
        "glue database/{databaseInput.name}",
        "glue table/{databaseName}/{tableName}",
        "glue table/{databaseName}/{tablesToDelete[]}",
        "glue table/{databaseName}/{tableInput.name}",
        "glue job/{jobName}",
        "glue crawler/{crawlerName}",
        "glue connection/{connectionName}",
    ),
    "glue:GetDatabase": ("glue database/{name}",),
    "glue:DeleteDatabase": ("glue database/{name}",),
    "glue:GetTable": ("glue table/{databaseName}/{name}",),
    "glue:DeleteTable": ("glue table/{databaseName}/{name}",),
    "glue:GetCrawler": ("glue crawler/{name}",),
    "glue:StartCrawler": ("glue crawler/{name}",),
    "iam": (
        _IAM + "role/{roleName}",
        _IAM + "user/{userName}",
        _IAM + "group/{groupName}",
        _IAM + "policy/{policyArn|arn}",
        _IAM + "instance-profile/{instanceProfileName}",
    ),
    "kinesis": ("kinesis stream/{streamName}", "kinesis stream/{streamARN|arn}"),
    "kms": ("kms key/{keyId|key_id}", "kms alias/{keyId|alias}", "kms alias/{aliasName|alias}"),
    "lakeformation": (
        "glue table/{tableArn|arn}",
        "glue database/{resource.database.name}",
        "glue table/{resource.table.databaseName}/{resource.table.name}",
    ),
    "lambda": ("lambda function:{functionName|function}",),
    "logs": (
        "logs log-group:{logGroupName|path}",
        "logs log-group:{logGroupNames[]|path}",
        "logs log-group:{logGroupIdentifier|path}",
        "logs log-group:{logGroupIdentifiers[]|path}",
    ),
    "rds": ("rds db:{dBInstanceIdentifier}", "rds cluster:{dBClusterIdentifier}"),
    "redshift-data": ("redshift cluster:{clusterIdentifier}",),
    "s3": (
        "arn:{partition}:s3:::{bucketName}",
        "arn:{partition}:s3:::{bucketName}/{key|any}",
        "arn:{partition}:s3:::{bucketName}/{delete.objects[].key|any}",
    ),
    # Not of other calls: where parameters are printed, an object's key may hold what looks like another parameter.
    "s3:CopyObject": ("arn:{partition}:s3:::{x-amz-copy-source|copied}",),
    "s3:UploadPartCopy": ("arn:{partition}:s3:::{x-amz-copy-source|copied}",),
    "s3express": ("s3express bucket/{bucketName}",),
    "sagemaker": (
        "sagemaker notebook-instance/{notebookInstanceName}",
        "sagemaker notebook-instance-lifecycle-config/{notebookInstanceLifecycleConfigName}",
        "sagemaker training-job/{trainingJobName}",
        "sagemaker processing-job/{processingJobName}",
        "sagemaker transform-job/{transformJobName}",
        "sagemaker hyper-parameter-tuning-job/{hyperParameterTuningJobName}",
        "sagemaker automl-job/{autoMLJobName}",
        "sagemaker model/{modelName}",
        "sagemaker endpoint/{endpointName}",
        "sagemaker endpoint-config/{endpointConfigName}",
        "sagemaker pipeline/{pipelineName}",
        "sagemaker feature-group/{featureGroupName}",
        "sagemaker model-package-group/{modelPackageGroupName}",
        "sagemaker domain/{domainId}",
        "arn:{partition}:s3:::{inputDataConfig[].dataSource.s3DataSource.s3Uri|s3_url}",
        "arn:{partition}:s3:::{outputDataConfig.s3OutputPath|s3_url}",
        "arn:{partition}:s3:::{processingInputs[].s3Input.s3Uri|s3_url}",
        "arn:{partition}:s3:::{processingOutputConfig.outputs[].s3Output.s3Uri|s3_url}",
    ),
    "secretsmanager": ("secretsmanager secret:{secretId|path}", "secretsmanager secret:{secretIdList[]|path}"),
    "secretsmanager:CreateSecret": ("secretsmanager secret:{name|path}",),
    "sns": ("arn:{partition}:sns:{region}:{account}:{topicArn|arn}",),
    "sns:CreateTopic": ("arn:{partition}:sns:{region}:{account}:{name}",),
    "sqs": ("arn:{partition}:sqs:{region}:{queueUrl|queue}", "arn:{partition}:sqs:{region}:{account}:{queueName}"),
    "ssm:GetParameter": ("ssm parameter/{name|below}",),
    "ssm:GetParameterHistory": ("ssm parameter/{name|below}",),
    "ssm:GetParameters": ("ssm parameter/{names[]|below}",),
    "ssm:GetParametersByPath": ("ssm parameter/{path|below}",),
    "ssm:PutParameter": ("ssm parameter/{name|below}",),
    "ssm:DeleteParameter": ("ssm parameter/{name|below}",),
    "states": ("states stateMachine:{stateMachineArn|arn}", "states execution:{executionArn|arn}"),
    "sts": (_IAM + "role/{roleArn|arn}",),
}  # fmt: skip
