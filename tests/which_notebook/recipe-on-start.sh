#!/bin/bash
# What AWS re:Post's article sagemaker-instance-api-iam has a notebook instance do at its start, in other words.
set -e

instance=$(jq --raw-output '.ResourceName' /opt/ml/metadata/resource-metadata.json)
role=$(aws sagemaker describe-notebook-instance --notebook-instance-name "$instance" --query 'RoleArn' --output text)
here=$(aws configure get region)

echo "calls will be made as $instance" # whatever made them

cat > /home/ec2-user/.aws/config <<CONFIG
[default]
region = $here
role_arn = $role
credential_source = Ec2InstanceMetadata
role_session_name = $instance
sts_regional_endpoints = regional
CONFIG

chattr +i /home/ec2-user/.aws/config
