package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"github.com/balerhq/baler/tasks"
)

// apiRoot is the path of version 1 of the API.
const apiRoot = "/v1"

// api answers the operations under apiRoot.
type api struct {
	transfers Transfers
	log       *slog.Logger
	now       func() time.Time
}

// mountAPI registers the operations, their documentation, and a handler for all
// other paths below apiRoot.
func mountAPI(mux *http.ServeMux, opts *Options) error {
	a := &api{transfers: opts.Transfers, log: opts.Log, now: opts.Now}
	described := a.register(mux, opts)
	document, err := json.Marshal(described)
	if err != nil {
		return fmt.Errorf("describe the API: %w", err)
	}
	docs, err := renderDocs(described, opts)
	if err != nil {
		return err
	}
	mux.Handle("GET "+apiRoot+"/openapi.json", static("application/openapi+json", document))
	mux.Handle("GET "+apiRoot+"/docs", static("text/html; charset=utf-8", docs))
	mux.Handle(apiRoot+"/", notFound(mux))
	return nil
}

// register disables huma's own documentation pages, which load scripts from other
// hosts, and its schema links, which add a field to every object.
func (a *api) register(mux *http.ServeMux, opts *Options) *huma.OpenAPI {
	config := huma.DefaultConfig(opts.Title+" API", opts.Version)
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	h := humago.NewWithPrefix(mux, apiRoot, config)
	huma.Register(h, huma.Operation{
		OperationID: "list-transfers",
		Method:      http.MethodGet,
		Path:        "/transfers",
		Summary:     "List transfers",
		Description: "Newest first, in pages: pass `next` as `before` to get the next page.",
		Errors:      []int{http.StatusUnprocessableEntity},
	}, a.list)
	huma.Register(h, huma.Operation{
		OperationID: "get-transfer",
		Method:      http.MethodGet,
		Path:        "/transfers/{id}",
		Summary:     "Show a transfer",
		Description: "The same summary that the command line prints with `--json`.",
		Errors:      []int{http.StatusNotFound, http.StatusGone},
	}, a.get)
	return h.OpenAPI()
}

type listInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many transfers a page holds."`
	Before string `query:"before" maxLength:"64" doc:"The value of next from the previous page."`
}

type listOutput struct {
	Body transferPage
}

type transferPage struct {
	Transfers []transferItem `json:"transfers" nullable:"false"`
	Next      string         `json:"next,omitempty" doc:"Token of the next page; absent on the last page."`
}

type transferItem struct {
	Transfer  string       `json:"transfer" format:"uuid"`
	Name      string       `json:"name"`
	State     tasks.State  `json:"state" enum:"open,running,finalizing,completed,interrupted,canceled"`
	Via       tasks.Via    `json:"via" enum:"group,bulk"`
	Weight    int          `json:"weight" doc:"Its share of the workers while other transfers of its queue wait."`
	Files     int64        `json:"files" doc:"Files registered so far."`
	Bytes     int64        `json:"bytes"`
	Finished  int64        `json:"finished" doc:"Files that have passed their last step."`
	Results   tasks.Counts `json:"results" doc:"Results of all steps together."`
	CreatedAt time.Time    `json:"created_at"`
	SealedAt  *time.Time   `json:"sealed_at,omitempty" doc:"Absent while files may still be added."`
	EndedAt   *time.Time   `json:"ended_at,omitempty" doc:"Absent until the transfer has ended."`

	Finalizers []tasks.FinalizeSummary `json:"finalizers,omitempty" doc:"The final steps with their errors; absent when the recipe has none."`

	WaitingFor string `json:"waiting_for,omitempty" doc:"What the transfer waits for when nothing of it runs; absent otherwise."`
}

func (a *api) list(ctx context.Context, in *listInput) (*listOutput, error) {
	before, err := decodeToken(in.Before)
	if err != nil {
		return nil, problem(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: err.Error(), Location: "query.before", Value: in.Before})
	}
	p, err := readPage(ctx, a.transfers, before, in.Limit)
	if err != nil {
		return nil, a.internalError(ctx, "list transfers", err)
	}
	out := transferPage{Transfers: make([]transferItem, 0, len(p.transfers)), Next: p.next}
	for i := range p.transfers {
		out.Transfers = append(out.Transfers, itemOf(&p.transfers[i], a.now()))
	}
	return &listOutput{Body: out}, nil
}

func itemOf(t *tasks.Transfer, now time.Time) transferItem {
	return transferItem{
		Transfer:  t.UUID,
		Name:      t.Name,
		State:     t.State,
		Via:       t.Via,
		Weight:    t.Weight,
		Files:     t.Files,
		Bytes:     t.Bytes,
		Finished:  t.Finished,
		Results:   t.Totals(),
		CreatedAt: t.CreatedAt,
		SealedAt:  unlessZero(t.SealedAt),
		EndedAt:   unlessZero(t.EndedAt),

		Finalizers: tasks.Summarize(t, now).Finalizers,
		WaitingFor: t.WaitingFor,
	}
}

func unlessZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type getInput struct {
	ID string `path:"id" format:"uuid" doc:"The transfer's id, as the submission returned it."`
}

type getOutput struct {
	Body tasks.Summary
}

func (a *api) get(ctx context.Context, in *getInput) (*getOutput, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return nil, problem(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: "not a UUID", Location: "path.id", Value: in.ID})
	}
	// The store has ids in the canonical form only; a UUID has other forms as well.
	t, err := a.transfers.Transfer(ctx, id.String())
	if gone, ok := errors.AsType[*tasks.DeletedError](err); ok {
		return nil, problem(http.StatusGone, "Transfer "+gone.UUID+" was deleted at "+gone.At.Format(time.RFC3339)+".")
	}
	if errors.Is(err, tasks.ErrTransferNotFound) {
		return nil, problem(http.StatusNotFound, "No transfer has the id "+id.String()+".")
	}
	if err != nil {
		return nil, a.internalError(ctx, "show transfer", err)
	}
	return &getOutput{Body: tasks.Summarize(&t, a.now())}, nil
}

// internalError logs the cause and leaves it out of the answer, because it may name
// hosts, accounts and queries.
func (a *api) internalError(ctx context.Context, doing string, err error) error {
	if ctx.Err() == nil { // otherwise the client has disconnected
		a.log.ErrorContext(ctx, "api request failed", "operation", doing, "error", err)
	}
	return problem(http.StatusInternalServerError, "The server could not "+doing+"; its log has the error.")
}
