module "every_attribute" {
  source = "../../.."

  name = "team"
  notebook_instances = {
    one = {
      instance_type                             = "ml.g5.2xlarge"
      volume_size                               = 16384
      subnet_id                                 = "subnet-0a"
      security_groups                           = ["sg-1", "sg-2", "sg-3", "sg-4", "sg-5"]
      direct_internet_access                    = "Disabled"
      kms_key_id                                = "arn:aws:kms:us-east-1:111122223333:key/k"
      minimum_instance_metadata_service_version = "1"
      default_code_repository                   = "https://github.com/aws/amazon-sagemaker-examples.git"
      additional_code_repositories              = ["one", "three", "two"]
      tags                                      = { owner = "ada" }
    }
  }
}
