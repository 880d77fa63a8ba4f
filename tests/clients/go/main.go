// Prints what is in a bucket, by the AWS SDK for Go v2. Credentials come from wherever the SDK finds them.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func main() {
	settings, err := config.LoadDefaultConfig(context.Background(), config.WithRegion("us-east-1"))
	if err != nil {
		log.Fatal(err)
	}
	listed, err := s3.NewFromConfig(settings).ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: &os.Args[1]})
	if err != nil {
		log.Fatal(err)
	}
	for _, object := range listed.Contents {
		fmt.Println(*object.Key)
	}
}
