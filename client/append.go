package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"path"
	"strconv"
)

// Added says what Append has done.
type Added struct {
	Files        int64     `json:"files"`         // that the transfer has now
	SkippedFiles int64     `json:"skipped_files"` // symlinks and special files, which are not added
	Skipped      []Skipped `json:"skipped"`       // the first of them
}

// Skipped is a listed name that is no file.
type Skipped struct {
	Path   string `json:"path"`
	Reason string `json:"reason"` // symlink or special
	Detail string `json:"detail"`
}

// Append adds files to an open transfer that has so many files, in one request: a few
// thousand of them, and no folders. It must be the only one who adds files to this transfer.
//
// When the connection breaks it asks the server which files have arrived, and continues
// behind them, so that none is lost or added twice. It does so for as long as a call is
// repeated: see Options.Attempts. The error is then that of the last attempt.
func (c *Client) Append(ctx context.Context, id string, at int64, files []File) (a Added, err error) {
	a.Files = at
	for attempt := 1; ; attempt++ {
		answer, err := c.append(ctx, id, a.Files, files)
		if err == nil {
			a.Files, a.SkippedFiles = answer.Files, a.SkippedFiles+answer.SkippedFiles
			a.Skipped = append(a.Skipped, answer.Skipped...)
			return a, nil
		}
		wait, again := pause(err, attempt)
		if !again || ctx.Err() != nil || attempt >= c.attempts {
			return a, err
		}
		c.onRetry(err)
		if err := sleep(ctx, wait); err != nil {
			return a, err
		}
		now, rest, err := c.arrived(ctx, id, a.Files, files)
		if err != nil {
			return a, err
		}
		if now > a.Files {
			attempt = 0
		}
		if a.Files, files = now, rest; len(files) == 0 {
			return a, nil
		}
	}
}

func (c *Client) append(ctx context.Context, id string, at int64, files []File) (a Added, err error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	for _, f := range files {
		if err := encoder.Encode(lineOf(f)); err != nil {
			return a, err
		}
	}
	path := "/transfers/" + url.PathEscape(id) + "/files?no_folders=true&at=" + strconv.FormatInt(at, 10)
	// Without GetBody: the transport would repeat a request whose connection broke.
	req, err := c.newRequest(ctx, http.MethodPost, path, io.NopCloser(&body))
	if err != nil {
		return a, err
	}
	req.Header.Set("Content-Type", ndjson)
	return a, c.do(req, &a)
}

// arrived returns how many files the transfer has, and those of the given ones that it does
// not have. The files behind the first at are those of an earlier request, in its order.
func (c *Client) arrived(ctx context.Context, id string, at int64, files []File) (now int64, rest []File, err error) {
	if now, err = c.settle(ctx, id); err != nil {
		return at, files, err
	}
	for name, err := range c.FilePaths(ctx, id, at, now) {
		if err == nil {
			files, err = behind(name, files)
		}
		if err != nil {
			return at, files, err
		}
	}
	return now, files, nil
}

// FilePaths yields the paths of the files of a transfer, in the order in which they were
// added: behind the first after, up to the file with the number last.
func (c *Client) FilePaths(ctx context.Context, id string, after, last int64) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for after < last {
			var page struct {
				Files []struct {
					File      int64  `json:"file"`
					Path      string `json:"path"`
					PathBytes []byte `json:"path_bytes"`
				} `json:"files"`
			}
			path := "/transfers/" + url.PathEscape(id) + "/files?limit=1000&after=" + strconv.FormatInt(after, 10)
			err := c.call(ctx, request{method: http.MethodGet, path: path}, &page)
			if err == nil && len(page.Files) == 0 {
				err = errors.New("the server counts files that it does not list")
			}
			if err != nil {
				yield("", err)
				return
			}
			for _, f := range page.Files {
				if after = f.File; after > last {
					return
				}
				name := f.Path
				if f.PathBytes != nil {
					name = string(f.PathBytes)
				}
				if !yield(name, nil) {
					return
				}
			}
		}
	}
}

// behind returns the files behind the one of a path. The server skips some of those before.
func behind(name string, files []File) ([]File, error) {
	for i := range files {
		if SamePath(files[i].Path, name) {
			return files[i+1:], nil
		}
	}
	return files, fmt.Errorf("the server has added %q, which was not sent: does somebody else add files to the transfer?", name)
}

// SamePath reports whether a path that was sent is that of a file of a transfer, whose path
// is clean unless it is that of an object.
func SamePath(sent, registered string) bool {
	return sent == registered || path.Clean(sent) == registered
}
