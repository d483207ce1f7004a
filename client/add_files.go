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
	req.Header.Set("Content-Type", "application/x-ndjson")
	err = c.do(req, nil)
	if now, again := c.Transfer(context.WithoutCancel(ctx), id); again == nil {
		added = now.Files - t.Files
	} else {
		err = errors.Join(err, fmt.Errorf("how many files were added is unknown: %w", again))
	}
	return added, err
}

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
