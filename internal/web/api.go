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

// apiRoot is where version 1 of the API lives.
const apiRoot = "/v1"

// api answers the operations under apiRoot.
type api struct {
	transfers Transfers
	log       *slog.Logger
	now       func() time.Time
}

// mountAPI registers the operations, their description and the answers to
// requests for anything else below apiRoot.
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

// register leaves huma's own documentation pages out: they load scripts from
// other hosts. Its schema links are left out too, as they would put a field of
// their own into every object.
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
		Description: "Newest first, page by page: hand `next` back as `before` to get the page that follows.",
		Errors:      []int{http.StatusUnprocessableEntity},
	}, a.list)
	huma.Register(h, huma.Operation{
		OperationID: "get-transfer",
		Method:      http.MethodGet,
		Path:        "/transfers/{id}",
		Summary:     "Show a transfer",
		Description: "The same summary that the command line prints with `--json`.",
		Errors:      []int{http.StatusNotFound},
	}, a.get)
	return h.OpenAPI()
}

type listInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many transfers a page holds."`
	Before string `query:"before" maxLength:"64" doc:"The value of next from the page before."`
}

type listOutput struct {
	Body transferPage
}

type transferPage struct {
	Transfers []transferItem `json:"transfers" nullable:"false"`
	Next      string         `json:"next,omitempty" doc:"Token of the page that follows; absent on the last page."`
}

type transferItem struct {
	Transfer  string       `json:"transfer" format:"uuid"`
	Name      string       `json:"name"`
	State     tasks.State  `json:"state" enum:"open,running,finalizing,completed,interrupted,canceled"`
	Via       tasks.Via    `json:"via" enum:"group,bulk"`
	Files     int64        `json:"files" doc:"Files registered so far."`
	Bytes     int64        `json:"bytes"`
	Finished  int64        `json:"finished" doc:"Files that have passed their last step."`
	Results   tasks.Counts `json:"results" doc:"Results of all steps together."`
	CreatedAt time.Time    `json:"created_at"`
	SealedAt  *time.Time   `json:"sealed_at,omitempty" doc:"Absent while files may still be added."`
	EndedAt   *time.Time   `json:"ended_at,omitempty" doc:"Absent until the transfer has ended."`
}

func (a *api) list(ctx context.Context, in *listInput) (*listOutput, error) {
	before, err := decodeToken(in.Before)
	if err != nil {
		return nil, problem(http.StatusUnprocessableEntity, "validation failed",
			&huma.ErrorDetail{Message: err.Error(), Location: "query.before", Value: in.Before})
	}
	p, err := readPage(ctx, a.transfers, before, in.Limit)
	if err != nil {
		return nil, a.fault(ctx, "list transfers", err)
	}
	out := transferPage{Transfers: make([]transferItem, 0, len(p.transfers)), Next: p.next}
	for i := range p.transfers {
		out.Transfers = append(out.Transfers, itemOf(&p.transfers[i]))
	}
	return &listOutput{Body: out}, nil
}

func itemOf(t *tasks.Transfer) transferItem {
	return transferItem{
		Transfer:  t.UUID,
		Name:      t.Name,
		State:     t.State,
		Via:       t.Via,
		Files:     t.Files,
		Bytes:     t.Bytes,
		Finished:  t.Finished,
		Results:   t.Totals(),
		CreatedAt: t.CreatedAt,
		SealedAt:  unlessZero(t.SealedAt),
		EndedAt:   unlessZero(t.EndedAt),
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
	// The store knows ids in their usual form only, but a UUID may be written in others.
	t, err := a.transfers.Transfer(ctx, id.String())
	if errors.Is(err, tasks.ErrTransferNotFound) {
		return nil, problem(http.StatusNotFound, "No transfer has the id "+id.String()+".")
	}
	if err != nil {
		return nil, a.fault(ctx, "show transfer", err)
	}
	return &getOutput{Body: tasks.Summarize(&t, a.now())}, nil
}

// fault keeps the cause in the log: it may name hosts, accounts and queries.
func (a *api) fault(ctx context.Context, doing string, err error) error {
	if ctx.Err() == nil { // else the client has gone away, which is no fault of ours
		a.log.ErrorContext(ctx, "api request failed", "operation", doing, "error", err)
	}
	return problem(http.StatusInternalServerError, "The server could not "+doing+"; its log says why.")
}
