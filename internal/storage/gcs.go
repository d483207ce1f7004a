package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"

	gcs "cloud.google.com/go/storage"
	"gocloud.dev/blob"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/gcp"
)

// gcsBucket is a bucket of Google Cloud Storage. Package blob writes some characters of
// keys in another way: here the keys are set as the service has them.
type gcsBucket struct {
	blob   *blob.Bucket
	handle *gcs.BucketHandle
}

func openGCS(ctx context.Context, name string, params url.Values) (service, error) {
	anonymous, _ := strconv.ParseBool(params.Get("anonymous")) // address.Parse has checked it
	client := gcp.NewAnonymousHTTPClient(gcp.DefaultTransport())
	if !anonymous && os.Getenv("STORAGE_EMULATOR_HOST") == "" { // an emulator has none
		// Not with ctx: the credentials renew themselves with it.
		credentials, err := gcp.DefaultCredentials(context.WithoutCancel(ctx))
		if err != nil {
			return nil, errors.New("the environment has no credentials of Google Cloud: set GOOGLE_APPLICATION_CREDENTIALS to the file " +
				"of a service account; for a public bucket add ?anonymous=true")
		}
		if client, err = gcp.NewHTTPClient(gcp.DefaultTransport(), gcp.CredentialsTokenSource(credentials)); err != nil {
			return nil, err
		}
	}
	b, err := gcsblob.OpenBucket(context.WithoutCancel(ctx), client, name, nil)
	if err != nil {
		return nil, err
	}
	var c *gcs.Client
	if !b.As(&c) {
		return nil, errors.New("gcsblob gives no client")
	}
	return &gcsBucket{b, c.Bucket(name)}, nil
}

func (b *gcsBucket) list(ctx context.Context, prefix, token string, n int) (objects []listed, next string, err error) {
	page := []byte(token)
	if token == "" {
		page = blob.FirstPageToken
	}
	items, nextPage, err := b.blob.ListPage(ctx, page, n, &blob.ListOptions{BeforeList: func(as func(any) bool) error {
		var q *gcs.Query
		if as(&q) {
			q.Prefix = prefix
		}
		return nil
	}})
	if err != nil {
		return nil, "", err
	}
	for _, item := range items {
		var a gcs.ObjectAttrs
		if !item.As(&a) {
			return nil, "", errors.New("gcsblob lists no attributes")
		}
		objects = append(objects, listed{a.Name, a.Size, a.Updated, strconv.FormatInt(a.Generation, 10)})
	}
	return objects, string(nextPage), nil
}

func (b *gcsBucket) fetch(ctx context.Context, key string, off, n int64, version string) (io.ReadCloser, content, error) {
	object := b.handle.Object(key).ReadCompressed(true) // as it is stored, whose size the listing has
	if version != "" {
		generation, err := strconv.ParseInt(version, 10, 64)
		if err != nil {
			return nil, content{}, fmt.Errorf("read the generation of an object: %w", err)
		}
		object = object.If(gcs.Conditions{GenerationMatch: generation})
	}
	r, err := object.NewRangeReader(ctx, off, n)
	if version != "" && errors.Is(err, gcs.ErrObjectNotExist) {
		err = errChanged // it was there
	}
	if err != nil {
		return nil, content{}, err
	}
	c := content{r.Attrs.Size, r.Attrs.LastModified, strconv.FormatInt(r.Attrs.Generation, 10)}
	if version != "" && c.version != version { // a server that takes no conditions
		_ = r.Close() // nothing was read
		return nil, content{}, errChanged
	}
	return r, c, nil
}

func (b *gcsBucket) put(ctx context.Context, key string, write func(io.Writer) error, replace bool) error {
	return putBlob(ctx, b.blob, &blob.WriterOptions{
		BeforeWrite: func(as func(any) bool) error {
			var object **gcs.ObjectHandle
			if as(&object) {
				*object = b.handle.Object(key)
				if !replace {
					*object = (*object).If(gcs.Conditions{DoesNotExist: true})
				}
			}
			return nil
		},
	}, write, replace)
}

func (b *gcsBucket) remove(ctx context.Context, key string) error {
	return b.handle.Object(key).Delete(ctx)
}

func (b *gcsBucket) Close() error { return b.blob.Close() }
