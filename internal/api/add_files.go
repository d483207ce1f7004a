package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/balerhq/baler/tasks"
)

// ndjson is the media type of JSON lines.
const ndjson = "application/x-ndjson"

type addInput struct {
	TransferInput

	At        int64 `query:"at" minimum:"-1" default:"-1" doc:"How many files the transfer must have, so that none is added twice; -1: any."`
	NoFolders bool  `query:"no_folders" doc:"End the request with an error at a line that names a folder."`

	ContentType string `header:"Content-Type"`

	lines *fileLines
}

// Resolve takes the body as a stream, which huma would read as a whole.
func (in *addInput) Resolve(ctx huma.Context) []error {
	if kind, _, err := mime.ParseMediaType(in.ContentType); err != nil || kind != ndjson {
		return []error{problem(http.StatusUnsupportedMediaType, "Send files as JSON lines, with Content-Type: "+ndjson+".")}
	}
	r, w := humago.Unwrap(ctx)
	in.lines = newFileLines(r.Body, http.NewResponseController(w))
	return nil
}

type addOutput struct {
	Body addBody
}

type addBody struct {
	Added int64 `json:"added" doc:"How many files this request has added."`
	Files int64 `json:"files" doc:"How many files the transfer has now."`

	SkippedFiles int64     `json:"skipped_files,omitempty" doc:"How many symlinks and special files were not added."`
	Skipped      []Skipped `json:"skipped,omitempty" doc:"The first of them."`
}

func (a *api) addFiles(ctx context.Context, in *addInput) (*addOutput, error) {
	t, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if t.State != tasks.StateOpen && t.State != tasks.StateInterrupted {
		return nil, problem(http.StatusConflict, "The transfer is "+string(t.State)+": it takes no more files.")
	}
	var body addBody
	added, err := a.Submitter.AddFiles(ctx, t, in.lines.all(), AddOptions{At: in.At, NoFolders: in.NoFolders, OnSkipped: body.skip})
	if wrong, ok := errors.AsType[*lineError](err); ok {
		return nil, problem(http.StatusUnprocessableEntity,
			fmt.Sprintf("Line %d: %s. Files added before it: %d.", wrong.line, wrong.reason, added),
			&huma.ErrorDetail{Message: wrong.reason, Location: "body.line[" + strconv.FormatInt(wrong.line, 10) + "]", Value: added})
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, problem(http.StatusBadRequest, fmt.Sprintf("The request ended before its last line. Files added before: %d.", added))
	}
	if err != nil {
		return nil, a.answer(ctx, "add files", err)
	}
	if t, err = a.find(ctx, in.ID); err != nil {
		return nil, err
	}
	body.Added, body.Files = added, t.Files
	return &addOutput{Body: body}, nil
}

// skippedNamed is how many skipped names an answer has.
const skippedNamed = 10

func (b *addBody) skip(s Skipped) {
	if b.SkippedFiles++; b.SkippedFiles <= skippedNamed {
		s.Path, s.Detail = strings.ToValidUTF8(s.Path, "\uFFFD"), strings.ToValidUTF8(s.Detail, "\uFFFD")
		b.Skipped = append(b.Skipped, s)
	}
}
