package api

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/balerhq/baler/tasks"
)

// tagResults groups operations in the description.
const tagResults = "Results"

func (a *api) registerResults(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "list-results",
		Method:      http.MethodGet,
		Path:        "/transfers/{id}/results",
		Tags:        []string{tagResults},
		Summary:     "List the results of a transfer",
		Description: "By step and file, in pages: pass `next` as `after` to get the next page. " +
			"Results that are recorded meanwhile behind the page appear in later pages.",
		Errors: []int{http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity},
	}, a.results)
	huma.Register(h, huma.Operation{
		OperationID: "list-failures",
		Method:      http.MethodGet,
		Path:        "/transfers/{id}/failures",
		Tags:        []string{tagResults},
		Summary:     "Count the failures of a transfer",
		Description: "By step, outcome, code and message, the most frequent first. It reads no other results, however many there are.",
		Errors:      []int{http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity},
	}, a.failures)
	huma.Register(h, huma.Operation{
		OperationID: "show-live-work", Method: http.MethodGet, Path: "/transfers/{id}/live", Tags: []string{tagResults},
		Summary: "Show what happens in a transfer",
		Description: "The batches that run, by worker and step, and about the newest failures. " +
			"It reads few rows, however large the transfer is.",
		Errors: []int{http.StatusNotFound, http.StatusGone},
	}, a.live)
	huma.Register(h, huma.Operation{
		OperationID: "list-files",
		Method:      http.MethodGet,
		Path:        "/transfers/{id}/files",
		Tags:        []string{tagResults},
		Summary:     "List the files of a transfer",
		Description: "By number, in pages: pass `next` as `after` to get the next page.",
		Errors:      []int{http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity},
	}, a.files)
	a.registerExport(h)
}

// ResultQuery selects results in a query.
type ResultQuery struct {
	Step    string   `query:"step" maxLength:"255" doc:"Only results of this step."`
	Outcome []string `query:"outcome" doc:"Only results with one of these outcomes, separated by commas."`
	File    int64    `query:"file" minimum:"0" doc:"Only results of the file with this number."`
	Parent  int64    `query:"parent" minimum:"0" doc:"Only results of files that were extracted from the file with this number."`
	Code    string   `query:"code" maxLength:"64" doc:"Only results with this code."`
	Message string   `query:"message" maxLength:"255" doc:"Only failures with this message, as list-failures returns it."`
	Exactly bool     `query:"exactly" doc:"Only failures of exactly this code and message, empty ones too: one kind of list-failures."`
}

// filter returns the filter of a query over the steps of a transfer.
func (q *ResultQuery) filter(t *tasks.Transfer, where string) (f tasks.ResultSelector, err error) {
	f.File, f.Parent, f.Code, f.Message, f.Exactly = q.File, q.Parent, q.Code, q.Message, q.Exactly
	for _, text := range q.Outcome {
		o, err := tasks.ParseOutcome(text)
		if err != nil {
			return f, invalid(where+".outcome", text, err.Error())
		}
		if q.Message != "" && !o.IsFailure() {
			return f, invalid(where+".outcome", text, "only failures have a message: give failed, error or timed_out")
		}
		f.Outcomes = append(f.Outcomes, o)
	}
	if q.Step == "" {
		return f, nil
	}
	names := make([]string, len(t.Steps))
	for i := range t.Steps {
		names[i] = t.Steps[i].Name
		if names[i] == q.Step {
			f.Step = t.Steps[i].Number
		}
	}
	if f.Step == 0 {
		return f, invalid(where+".step", q.Step, "the transfer has no such step; it has "+strings.Join(names, ", "))
	}
	return f, nil
}

type resultsInput struct {
	TransferInput
	ResultQuery

	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many results a page holds."`
	After string `query:"after" maxLength:"64" doc:"The value of next from the previous page."`
}

type resultsOutput struct {
	Body resultPage
}

type resultPage struct {
	Results []tasks.ResultLine `json:"results" nullable:"false"`
	Next    string             `json:"next,omitempty" doc:"Token of the next page; absent on the last page."`
}

func (a *api) results(ctx context.Context, in *resultsInput) (*resultsOutput, error) {
	t, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	f, err := in.filter(&t, "query")
	if err != nil {
		return nil, err
	}
	after, err := DecodeResultToken(in.After)
	if err != nil {
		return nil, invalid("query.after", in.After, err.Error())
	}
	rows, err := a.Results.Results(ctx, t, f, after, in.Limit+1)
	if err != nil {
		return nil, a.internalError(ctx, "list results", err)
	}
	out := resultPage{Results: make([]tasks.ResultLine, 0, min(len(rows), in.Limit))}
	names := stepNames(&t)
	for i := range rows {
		if i == in.Limit {
			out.Next = EncodeResultToken(rows[i-1].Key())
			break
		}
		out.Results = append(out.Results, rows[i].Line(names[rows[i].Step]))
	}
	return &resultsOutput{Body: out}, nil
}

func stepNames(t *tasks.Transfer) map[int]string {
	names := make(map[int]string, len(t.Steps))
	for i := range t.Steps {
		names[t.Steps[i].Number] = t.Steps[i].Name
	}
	return names
}

type liveOutput struct {
	Body tasks.LiveWork
}

func (a *api) live(ctx context.Context, in *TransferInput) (*liveOutput, error) {
	t, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	now, err := a.Results.LiveWork(ctx, t)
	if err != nil {
		return nil, a.internalError(ctx, "show what happens in the transfer", err)
	}
	return &liveOutput{Body: now}, nil
}

type failuresInput struct {
	TransferInput
	ResultQuery

	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many groups are listed at most."`
}

type failuresOutput struct {
	Body failureList
}

type failureList struct {
	Failures []failureGroup `json:"failures" nullable:"false"`
	All      bool           `json:"all" doc:"False when a step has more than 100,000 failures, of which the first are counted."`
}

type failureGroup struct {
	Step        string        `json:"step"`
	Outcome     tasks.Outcome `json:"outcome" enum:"failed,error,timed_out"`
	Code        string        `json:"code"`
	Message     string        `json:"message" doc:"The first line of the error, with … for what differs from file to file."`
	Files       int64         `json:"files"`
	ExampleFile int64         `json:"example_file" doc:"The number of the first of the files."`
	ExamplePath string        `json:"example_path"`
	ExampleRaw  []byte        `json:"example_path_bytes,omitempty" doc:"Base64; only when the path is not valid UTF-8."`
	FirstAt     time.Time     `json:"first_at" doc:"When the first of the results ended."`
	LastAt      time.Time     `json:"last_at" doc:"When the last of the results ended."`
}

func (a *api) failures(ctx context.Context, in *failuresInput) (*failuresOutput, error) {
	t, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	f, err := in.filter(&t, "query")
	if err != nil {
		return nil, err
	}
	groups, err := a.Results.Failures(ctx, t, f, in.Limit)
	if err != nil {
		return nil, a.internalError(ctx, "count failures", err)
	}
	out := failureList{Failures: make([]failureGroup, 0, len(groups)), All: t.CountsAllFailures(f.Step)}
	names := stepNames(&t)
	for _, g := range groups {
		out.Failures = append(out.Failures, groupOf(&g, names[g.Step]))
	}
	return &failuresOutput{Body: out}, nil
}

func groupOf(g *tasks.FailureGroup, step string) failureGroup {
	group := failureGroup{
		Step: step, Outcome: g.Outcome, Code: g.Code, Message: g.Message, Files: g.Files,
		ExampleFile: g.Example, ExamplePath: g.Path, FirstAt: g.First, LastAt: g.Last,
	}
	if !utf8.ValidString(g.Path) {
		group.ExamplePath, group.ExampleRaw = strings.ToValidUTF8(g.Path, "\uFFFD"), []byte(g.Path)
	}
	return group
}
