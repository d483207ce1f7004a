package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	gcs "cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"google.golang.org/api/googleapi"

	"github.com/balerhq/baler/handlers"
)

// failure is what a person is told of an error of a service, and what callers decide on:
// fs.ErrNotExist, fs.ErrPermission, errChanged, errExists, errPastEnd, or none of these. It
// has no URL, because those of Azure may hold a secret, and no request ID.
func failure(err error) error {
	if err == nil || known(err) {
		return err
	}
	var code, message string
	var status int
	var s3 smithy.APIError
	var google *googleapi.Error
	var azure *azcore.ResponseError
	var request *url.Error
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		status = response.HTTPStatusCode()
	}
	switch {
	case errors.As(err, &s3):
		code, message = s3.ErrorCode(), s3.ErrorMessage()
	case errors.Is(err, gcs.ErrObjectNotExist):
		code = "NoSuchKey"
	case errors.Is(err, gcs.ErrBucketNotExist), errors.As(err, &google) && google.Code == http.StatusNotFound:
		code = "NoSuchBucket" // whose objects it lists, or into which one is written
	case errors.As(err, &google):
		code, message, status = "", google.Message, google.Code
	case errors.As(err, &azure):
		code, status = azure.ErrorCode, azure.StatusCode
	case errors.As(err, &request):
		return fmt.Errorf("the server cannot be reached: %w", withoutURL(request))
	case status == 0:
		return errors.New(withoutQueries(err.Error()))
	}
	return classified(code, message, status)
}

// missing is a fs.ErrNotExist that says what does not exist.
type missing string

func (m missing) Error() string { return string(m) }

// Is implements the interface of errors.Is.
func (m missing) Is(target error) bool { return target == fs.ErrNotExist }

// denied is a fs.ErrPermission that says what the service says.
type denied string

func (d denied) Error() string { return string(d) }

// Is implements the interface of errors.Is.
func (d denied) Is(target error) bool { return target == fs.ErrPermission }

// known reports whether an error says already what it means.
func known(err error) bool {
	var verdict *handlers.Verdict
	for _, one := range []error{
		fs.ErrNotExist, fs.ErrPermission, fs.ErrClosed, errChanged, errExists, errPastEnd, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, one) {
			return true
		}
	}
	return errors.As(err, &verdict)
}

// classified gives a service's answer its meaning.
func classified(code, message string, status int) error {
	text := strings.TrimSuffix(withoutQueries(strings.Join(nonEmpty(code, message, http.StatusText(status)), ": ")), ": ")
	switch code {
	case "NoSuchBucket", "ContainerNotFound":
		return missing("there is no such bucket")
	case "NoSuchKey", "BlobNotFound":
		return missing("there is no such object")
	case "InvalidRange":
		return errPastEnd
	case "PreconditionFailed", "ConditionNotMet", "TargetConditionNotMet":
		return errChanged
	case "BlobAlreadyExists":
		return errExists
	case "PermanentRedirect", "AuthorizationHeaderMalformed":
		return fmt.Errorf("the bucket is in another region: set AWS_REGION: %s", text)
	}
	switch status {
	case http.StatusNotFound:
		return missing(text)
	case http.StatusUnauthorized, http.StatusForbidden:
		return denied("access is denied: " + text)
	case http.StatusPreconditionFailed, http.StatusNotModified:
		return errChanged
	case http.StatusRequestedRangeNotSatisfiable:
		return errPastEnd
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return fmt.Errorf("the service asks for fewer requests: %s", text)
	case http.StatusInsufficientStorage:
		return fmt.Errorf("the service has no space left: %s", text)
	}
	return errors.New(text)
}

func nonEmpty(texts ...string) (kept []string) {
	for _, t := range texts {
		if t != "" {
			kept = append(kept, t)
		}
		if len(kept) == 2 {
			break
		}
	}
	return kept
}

// final reports whether another request would give the same answer.
func final(err error) bool {
	err = failure(err)
	for _, one := range []error{fs.ErrNotExist, fs.ErrPermission, errChanged, errExists, errPastEnd, fs.ErrClosed} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

// withoutURL is the cause of an error of a request, without the address.
func withoutURL(err *url.Error) error { return errors.New(withoutQueries(err.Err.Error())) }

// withoutQueries drops the parameters of URLs in a text.
func withoutQueries(text string) string {
	words := strings.Fields(text)
	for i, w := range words {
		if at := strings.IndexByte(w, '?'); at >= 0 && strings.Contains(w, "://") {
			words[i] = w[:at] + "?…"
		}
	}
	return strings.Join(words, " ")
}
