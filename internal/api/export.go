package api

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/balerhq/baler/internal/export"
)

// Trailers of an export: what was written. An answer without them is not complete.
const (
	trailerFiles   = "Baler-Files"
	trailerResults = "Baler-Results"
	trailerState   = "Baler-State"
)

// exportTimeout is how long a client may take to read a part: a slower one is disconnected,
// because an export keeps a connection to the database.
const exportTimeout = 5 * time.Minute

func (a *api) registerExport(h huma.API) {
	content := make(map[string]*huma.MediaType)
	for _, f := range export.Formats() {
		content[f.MediaType()] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	huma.Register(h, huma.Operation{
		OperationID: "export-transfer",
		Method:      http.MethodGet,
		Path:        "/transfers/{id}/export",
		Tags:        []string{tagResults},
		Summary:     "Export a transfer",
		Description: "All of its results, and as JSON lines also its files, as they were when the request came. An answer that breaks off " +
			"is not complete; a complete one ends with the trailers `Baler-Files`, `Baler-Results` and `Baler-State`.",
		Responses: map[string]*huma.Response{"200": {Description: "The transfer", Content: content}},
		Errors:    []int{http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity},
	}, a.export)
}

type exportInput struct {
	TransferInput

	Format string `query:"format" enum:"jsonl,csv,parquet" default:"jsonl" doc:"JSON lines, CSV or Parquet."`
}

// mostExports is how many exports run at a time: each keeps a connection to the database.
const mostExports = 2

//nolint:contextcheck // huma hands the context of the request to the body
func (a *api) export(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	t, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	format := export.Format(in.Format)
	select {
	case a.exports <- struct{}{}:
	default:
		return nil, huma.ErrorWithHeaders(problem(http.StatusServiceUnavailable,
			"Other exports run at the moment. Come back in a few seconds."), http.Header{"Retry-After": {"5"}})
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		defer func() { <-a.exports }()
		hctx.SetHeader("Content-Type", format.MediaType())
		hctx.SetHeader("Content-Disposition", `attachment; filename="`+t.UUID+"."+string(format)+`"`)
		hctx.SetHeader("Trailer", trailerFiles+", "+trailerResults+", "+trailerState)
		hctx.SetHeader("X-Accel-Buffering", "no") // nginx would keep all of it in a file
		r, answer := humago.Unwrap(hctx)
		if r.Method == http.MethodHead {
			return
		}
		client := &patientWriter{w: answer}
		w := bufio.NewWriterSize(client, 64<<10)
		done, err := a.Results.Export(hctx.Context(), t, format, w)
		if err == nil {
			err = w.Flush()
		}
		if err != nil {
			a.endEarly(hctx.Context(), client, err)
			return
		}
		hctx.SetHeader(trailerFiles, strconv.FormatInt(done.Files, 10))
		hctx.SetHeader(trailerResults, strconv.FormatInt(done.Results, 10))
		hctx.SetHeader(trailerState, string(done.State))
	}}, nil
}

// endEarly ends an answer after an error: with the error, if the client has nothing yet.
func (a *api) endEarly(ctx context.Context, client *patientWriter, err error) {
	failed := a.internalError(ctx, "export the transfer", err)
	if client.begun {
		panic(http.ErrAbortHandler) // the client must not take what it has for all
	}
	answer, ok := errors.AsType[*huma.ErrorModel](failed)
	if !ok { // an outage
		answer = problem(http.StatusServiceUnavailable, failed.Error())
	}
	for _, name := range []string{"Trailer", "Content-Disposition"} {
		client.w.Header().Del(name)
	}
	WriteProblem(client.w, answer)
}

// patientWriter gives a client some time for each part.
type patientWriter struct {
	w     http.ResponseWriter
	begun bool
}

func (p *patientWriter) Write(b []byte) (int, error) {
	p.begun = true
	if err := http.NewResponseController(p.w).SetWriteDeadline(time.Now().Add(exportTimeout)); err != nil {
		return 0, err
	}
	return p.w.Write(b)
}
