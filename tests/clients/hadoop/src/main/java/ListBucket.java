import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Prints what is in a bucket, by Hadoop's s3a. Credentials come from wherever its default chain finds them. */
class ListBucket {
    public static void main(String[] arguments) throws Exception {
        Configuration configuration = new Configuration();
        configuration.set("fs.s3a.endpoint.region", "us-east-1");
        Path bucket = new Path("s3a://" + arguments[0] + "/");
        try (FileSystem files = FileSystem.get(URI.create(bucket.toString()), configuration)) {
            for (FileStatus file : files.listStatus(bucket)) {
                System.out.println(file.getPath().getName());
            }
        }
    }
}
