package api

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/balerhq/baler/tasks"
)

type filesInput struct {
	TransferInput

	Limit int   `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many files a page holds."`
	After int64 `query:"after" minimum:"0" doc:"The value of next from the previous page."`
}

type filesOutput struct {
	Body filePage
}

type filePage struct {
	Files []fileItem `json:"files" nullable:"false"`
	Next  int64      `json:"next,omitempty" doc:"The number of the page's last file; absent on the last page."`
}

type fileItem struct {
	File      int64      `json:"file" doc:"Its number within the transfer."`
	Path      string     `json:"path"`
	PathBytes []byte     `json:"path_bytes,omitempty" doc:"Base64; only when the path is not valid UTF-8."`
	Size      int64      `json:"size" doc:"In bytes."`
	MTime     *time.Time `json:"mtime,omitempty"`
	Error     string     `json:"error,omitempty" doc:"Why the file could not be read when it was registered."`
}

func (a *api) files(ctx context.Context, in *filesInput) (*filesOutput, error) {
	t, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	found, err := a.Results.FilesAfter(ctx, t, in.After, in.Limit+1)
	if err != nil {
		return nil, a.internalError(ctx, "list files", err)
	}
	out := filePage{Files: make([]fileItem, 0, min(len(found), in.Limit))}
	for i := range found {
		if i == in.Limit {
			out.Next = found[i-1].No
			break
		}
		out.Files = append(out.Files, itemOfFile(&found[i]))
	}
	return &filesOutput{Body: out}, nil
}

func itemOfFile(f *tasks.File) fileItem {
	item := fileItem{File: f.No, Path: f.Path, Size: f.Size, MTime: unlessZero(f.MTime), Error: f.ScanError}
	if !utf8.ValidString(f.Path) {
		item.Path, item.PathBytes = strings.ToValidUTF8(f.Path, "\uFFFD"), []byte(f.Path)
	}
	return item
}
