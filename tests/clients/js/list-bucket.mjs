// Prints who is calling, and what is in a bucket. Region and credentials come from wherever the SDK finds them.
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const [bucket] = process.argv.slice(2);
const { Arn: arn } = await new STSClient({}).send(new GetCallerIdentityCommand({}));
const { Contents: objects = [] } = await new S3Client({}).send(new ListObjectsV2Command({ Bucket: bucket }));
console.log(JSON.stringify({ arn, keys: objects.map((object) => object.Key) }));
