package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// File is a file to add to an open transfer.
type File struct {
	Path  string     // absolute
	Size  int64      // in bytes; negative: the server reads size and time from the file
	MTime *time.Time // only with a size
}

// AddFiles adds files to an open transfer, in one stream, and returns how many it added.
// It must be the only one who adds files to this transfer. Name files, not folders: then
// the returned number says where to continue after an error, with the files behind it.
func (c *Client) AddFiles(ctx context.Context, id string, files iter.Seq[File]) (added int64, err error) {
	t, err := c.Transfer(ctx, id)
	if err != nil {
		return 0, err
	}
	path := "/transfers/" + url.PathEscape(id) + "/files"
	pipe, w := io.Pipe()
	go func() { w.CloseWithError(writeFiles(w, files)) }()
	defer func() { _ = pipe.Close() }() // ends the writer when the request has ended early
	req, err := c.newRequest(ctx, http.MethodPost, path+"?at="+strconv.FormatInt(t.Files, 10), pipe)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", ndjson)
	var answer struct {
		Added int64 `json:"added"`
	}
	if err = c.do(req, &answer); err == nil {
		return answer.Added, nil
	}
	now, again := c.settle(context.WithoutCancel(ctx), id)
	if again != nil {
		return 0, errors.Join(err, fmt.Errorf("how many files were added is unknown: %w", again))
	}
	return now - t.Files, err
}

// settle returns how many files a transfer has. The server may still register files of a
// request whose connection broke: a request without files ends that before it is answered.
func (c *Client) settle(ctx context.Context, id string) (files int64, err error) {
	var answer struct {
		Files int64 `json:"files"`
	}
	err = c.call(ctx, request{method: http.MethodPost, path: "/transfers/" + url.PathEscape(id) + "/files", kind: ndjson}, &answer)
	if refused, ok := errors.AsType[*Error](err); ok && refused.Status == http.StatusConflict { // it takes no more files
		t, err := c.Transfer(ctx, id)
		return t.Files, err
	}
	return answer.Files, err
}

// ndjson is the media type of JSON lines.
const ndjson = "application/x-ndjson"

func writeFiles(w io.Writer, files iter.Seq[File]) error {
	out := bufio.NewWriterSize(w, 64<<10)
	encoder := json.NewEncoder(out)
	for f := range files {
		if err := encoder.Encode(lineOf(f)); err != nil {
			return err
		}
	}
	return out.Flush()
}

// line is a file as the server reads it.
type line struct {
	Path      string     `json:"path,omitempty"`
	PathBytes []byte     `json:"path_bytes,omitempty"`
	Size      *int64     `json:"size,omitempty"`
	MTime     *time.Time `json:"mtime,omitempty"`
}

func lineOf(f File) line {
	l := line{Path: f.Path}
	if strings.ToValidUTF8(f.Path, "") != f.Path {
		l.Path, l.PathBytes = "", []byte(f.Path)
	}
	if f.Size >= 0 {
		l.Size, l.MTime = &f.Size, f.MTime
	}
	return l
}
