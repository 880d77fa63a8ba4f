// Prints what is in a bucket, by the AWS SDK for JavaScript v2. Credentials come from wherever the SDK finds them.
const AWS = require("aws-sdk");

const [bucket] = process.argv.slice(2);
new AWS.S3({ region: "us-east-1" }).listObjectsV2({ Bucket: bucket }, (error, listed) => {
  if (error) throw error;
  console.log(JSON.stringify({ keys: listed.Contents.map((object) => object.Key) }));
});
