package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
)

// s3Bucket is a bucket of S3, or of what speaks its protocol. Package blob writes some
// characters of keys in another way: here the keys are set as the service has them.
type s3Bucket struct {
	name   string
	client *s3.Client
	blob   *blob.Bucket
}

func openS3(ctx context.Context, name string, params url.Values) (service, error) {
	cfg, err := s3Config(ctx, params)
	if err != nil {
		return nil, err
	}
	endpoint := params.Get("endpoint")
	// Others than Amazon seldom have a host name per bucket.
	own := endpoint != "" || os.Getenv("AWS_ENDPOINT_URL") != "" || os.Getenv("AWS_ENDPOINT_URL_S3") != ""
	pathStyle := own
	if text := params.Get("use_path_style"); text != "" {
		pathStyle, _ = strconv.ParseBool(text) // address.Parse has checked it
	}
	if own && os.Getenv("AWS_REQUEST_CHECKSUM_CALCULATION") == "" { // not all of them know its newer checksums
		cfg.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		cfg.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = pathStyle
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
	})
	b, err := s3blob.OpenBucket(ctx, client, name, &s3blob.Options{RequestChecksumCalculation: cfg.RequestChecksumCalculation})
	if err != nil {
		return nil, err
	}
	return &s3Bucket{name, client, b}, nil
}

// s3Config reads the environment, and looks for credentials: a request without any fails
// with a long text that does not say so.
func s3Config(ctx context.Context, params url.Values) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.ResponseHeaderTimeout = time.Minute
			t.MaxIdleConnsPerHost = 64
		})),
	}
	if region := params.Get("region"); region != "" {
		options = append(options, config.WithRegion(region))
	}
	if profile := params.Get("profile"); profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	anonymous, _ := strconv.ParseBool(params.Get("anonymous")) // address.Parse has checked it
	if anonymous {
		options = append(options, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return cfg, fmt.Errorf("read the settings of AWS from the environment: %w", err)
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1" // as the AWS libraries that need none assume
	}
	if !anonymous {
		if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
			return cfg, errors.New("the environment has no credentials of AWS: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, " +
				"or AWS_PROFILE; for a public bucket add ?anonymous=true")
		}
	}
	return cfg, nil
}

func (b *s3Bucket) list(ctx context.Context, prefix, token string, n int) (objects []listed, next string, err error) {
	in := &s3.ListObjectsV2Input{
		Bucket: &b.name, Prefix: &prefix, MaxKeys: aws.Int32(int32(n)),
		EncodingType: types.EncodingTypeUrl, // XML has no way to write control characters
	}
	if token != "" {
		in.ContinuationToken = &token
	}
	out, err := b.client.ListObjectsV2(ctx, in)
	if err != nil {
		return nil, "", err
	}
	objects = make([]listed, len(out.Contents))
	for i := range out.Contents {
		o := &out.Contents[i]
		key := aws.ToString(o.Key)
		if out.EncodingType == types.EncodingTypeUrl {
			if key, err = url.QueryUnescape(key); err != nil {
				return nil, "", fmt.Errorf("the server lists a key that is encoded wrongly: %w", err)
			}
		}
		objects[i] = listed{key, aws.ToInt64(o.Size), aws.ToTime(o.LastModified), bareTag(o.ETag)}
	}
	if aws.ToBool(out.IsTruncated) {
		if next = aws.ToString(out.NextContinuationToken); next == "" || next == token {
			return nil, "", errors.New("the server says that the listing goes on, and not where")
		}
	}
	return objects, next, nil
}

// bareTag is an ETag without its quotes, which some servers leave out.
func bareTag(tag *string) string { return strings.Trim(aws.ToString(tag), `"`) }

func (b *s3Bucket) fetch(ctx context.Context, key string, off, n int64, version string) (io.ReadCloser, content, error) {
	in := &s3.GetObjectInput{Bucket: &b.name, Key: &key, Range: aws.String(fmt.Sprintf("bytes=%d-%d", off, off+n-1))}
	if version != "" {
		in.IfMatch = aws.String(`"` + version + `"`)
	}
	out, err := b.client.GetObject(ctx, in)
	if err != nil {
		return nil, content{}, err
	}
	c := content{aws.ToInt64(out.ContentLength), aws.ToTime(out.LastModified), bareTag(out.ETag)}
	if total, ok := totalOf(aws.ToString(out.ContentRange)); ok {
		c.size = total
	}
	if version != "" && c.version != version { // a server that takes no conditions
		_ = out.Body.Close() // nothing was read
		return nil, content{}, errChanged
	}
	return out.Body, c, nil
}

// totalOf reads the size of the whole in a Content-Range such as "bytes 0-9/100".
func totalOf(contentRange string) (int64, bool) {
	_, total, _ := strings.Cut(contentRange, "/")
	n, err := strconv.ParseInt(total, 10, 64)
	return n, err == nil
}

func (b *s3Bucket) put(ctx context.Context, key string, write func(io.Writer) error, replace bool) error {
	return putBlob(ctx, b.blob, &blob.WriterOptions{
		IfNotExist: !replace,
		BeforeWrite: func(as func(any) bool) error {
			var in *transfermanager.UploadObjectInput
			if as(&in) {
				in.Key = &key
			}
			return nil
		},
	}, write, replace)
}

func (b *s3Bucket) remove(ctx context.Context, key string) error {
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key})
	return err
}

func (b *s3Bucket) Close() error { return b.blob.Close() }
