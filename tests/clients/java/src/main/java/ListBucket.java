import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** Prints what is in a bucket, by the AWS SDK for Java v2. Credentials come from wherever the SDK finds them. */
class ListBucket {
    public static void main(String[] arguments) {
        try (S3Client s3 = S3Client.builder().region(Region.US_EAST_1).build()) {
            s3.listObjectsV2(request -> request.bucket(arguments[0])).contents().forEach(object -> System.out.println(object.key()));
        }
    }
}
