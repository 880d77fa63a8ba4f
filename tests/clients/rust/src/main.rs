//! Prints what is in a bucket, by the AWS SDK for Rust. Credentials come from wherever the SDK finds them.

use aws_config::{BehaviorVersion, Region};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bucket = std::env::args().nth(1).expect("usage: list-bucket BUCKET");
    let settings = aws_config::defaults(BehaviorVersion::latest()).region(Region::new("us-east-1")).load().await;
    let listed = aws_sdk_s3::Client::new(&settings).list_objects_v2().bucket(bucket).send().await?;
    for object in listed.contents() {
        println!("{}", object.key().unwrap_or_default());
    }
    Ok(())
}
