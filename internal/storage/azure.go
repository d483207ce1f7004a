package storage

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	azureBlob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"gocloud.dev/blob"
	"gocloud.dev/blob/azureblob"
)

// azureContainer is a container of Azure Blob Storage. Package blob writes many characters
// of keys in another way, so objects are read and written by the service's own client.
type azureContainer struct {
	blob   *blob.Bucket
	client *container.Client
}

func openAzure(ctx context.Context, name string, params url.Values) (service, error) {
	options := azureblob.NewDefaultServiceURLOptions()
	for name, to := range map[string]*string{
		"storage_account": &options.AccountName, "domain": &options.StorageDomain, "protocol": &options.Protocol,
	} {
		if value := params.Get(name); value != "" {
			*to = value
		}
	}
	if params.Get("localemu") != "" {
		options.IsLocalEmulator = params.Get("localemu") == "true"
	}
	if options.AccountName == "" && os.Getenv("AZURE_STORAGE_CONNECTION_STRING") == "" {
		return nil, errors.New("the environment names no storage account of Azure: set AZURE_STORAGE_ACCOUNT, " +
			"and AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN or the variables of an identity")
	}
	address, err := azureblob.NewServiceURL(options)
	if err != nil {
		return nil, errors.New("the settings of the storage account of Azure are invalid: see AZURE_STORAGE_ACCOUNT, AZURE_STORAGE_DOMAIN " +
			"and AZURE_STORAGE_PROTOCOL")
	}
	client, err := azureblob.NewDefaultClient(address, azureblob.ContainerName(name))
	if err != nil {
		return nil, errors.New("the environment has no usable credentials of Azure: set AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, " +
			"AZURE_STORAGE_CONNECTION_STRING, or the variables of an identity")
	}
	b, err := azureblob.OpenBucket(ctx, client, nil)
	if err != nil {
		return nil, err
	}
	return &azureContainer{b, client}, nil
}

func (b *azureContainer) list(ctx context.Context, prefix, token string, n int) (objects []listed, next string, err error) {
	page := []byte(token)
	if token == "" {
		page = blob.FirstPageToken
	}
	items, nextPage, err := b.blob.ListPage(ctx, page, n, &blob.ListOptions{BeforeList: func(as func(any) bool) error {
		var o *container.ListBlobsHierarchyOptions
		if as(&o) {
			o.Prefix = &prefix
		}
		return nil
	}})
	if err != nil {
		return nil, "", err
	}
	for _, item := range items {
		var a container.BlobItem
		if !item.As(&a) || a.Name == nil || a.Properties == nil {
			return nil, "", errors.New("azureblob lists no properties")
		}
		objects = append(objects, listed{*a.Name, item.Size, item.ModTime, tagOf(a.Properties.ETag)})
	}
	return objects, string(nextPage), nil
}

func tagOf(tag *azcore.ETag) string {
	if tag == nil {
		return ""
	}
	return strings.Trim(string(*tag), `"`)
}

func (b *azureContainer) fetch(ctx context.Context, key string, off, n int64, version string) (io.ReadCloser, content, error) {
	options := &azureBlob.DownloadStreamOptions{Range: azureBlob.HTTPRange{Offset: off, Count: n}}
	if version != "" {
		tag := azcore.ETag(`"` + version + `"`)
		options.AccessConditions = &azureBlob.AccessConditions{ModifiedAccessConditions: &azureBlob.ModifiedAccessConditions{IfMatch: &tag}}
	}
	out, err := b.client.NewBlobClient(key).DownloadStream(ctx, options)
	if err != nil {
		return nil, content{}, err
	}
	c := content{version: tagOf(out.ETag)}
	if out.LastModified != nil {
		c.modTime = *out.LastModified
	}
	if out.ContentLength != nil {
		c.size = *out.ContentLength
	}
	if out.ContentRange != nil {
		if total, ok := totalOf(*out.ContentRange); ok {
			c.size = total
		}
	}
	return out.Body, c, nil
}

func (b *azureContainer) put(ctx context.Context, key string, write func(io.Writer) error, replace bool) error {
	options := &blockblob.UploadStreamOptions{HTTPHeaders: &azureBlob.HTTPHeaders{BlobContentType: new(contentType)}}
	if !replace {
		options.AccessConditions = &azblob.AccessConditions{
			ModifiedAccessConditions: &azureBlob.ModifiedAccessConditions{IfNoneMatch: new(azcore.ETagAny)},
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pipe, in := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := write(in)
		written <- err
		_ = in.CloseWithError(err) // it never fails
	}()
	_, err := b.client.NewBlockBlobClient(key).UploadStream(ctx, pipe, options)
	_ = pipe.CloseWithError(io.ErrClosedPipe) // so that write ends when the upload has failed
	writeErr := <-written
	if writeErr != nil && !errors.Is(writeErr, io.ErrClosedPipe) {
		return writeErr
	}
	if err = failure(err); errors.Is(err, errChanged) && !replace {
		err = errExists
	}
	return err
}

func (b *azureContainer) remove(ctx context.Context, key string) error {
	_, err := b.client.NewBlobClient(key).Delete(ctx, nil)
	return err
}

func (b *azureContainer) Close() error { return b.blob.Close() }
