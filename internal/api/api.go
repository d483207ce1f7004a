package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/balerhq/baler/internal/db"
)

// Root is the path of version 1 of the API.
const Root = "/v1"

// Options say what the API works with. Only Transfers is required: operations whose
// interface is nil do not exist.
type Options struct {
	Transfers Transfers
	Submitter Submitter
	Results   Results
	Control   Control
	Fleet     Fleet
	Audit     AuditLog
	Scheduler Scheduler

	Log     *slog.Logger     // required
	Now     func() time.Time // required
	Version string
	Title   string

	// Stopping is closed when the server stops, which then does not wait for clients that
	// watch a transfer; nil: never.
	Stopping <-chan struct{}
}

// api answers the operations under Root.
type api struct {
	Options

	watched sharedReads
	exports chan struct{} // holds one for each export that runs
}

// Mount registers the operations, the OpenAPI document, and a handler for all other
// paths below Root. It returns the description of the operations.
func Mount(mux *http.ServeMux, o Options) (*huma.OpenAPI, error) {
	a := &api{Options: o, watched: sharedReads{read: o.Transfers.Transfer, now: time.Now}, exports: make(chan struct{}, mostExports)}
	described := a.register(mux)
	document, err := json.Marshal(described)
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	mux.HandleFunc("GET "+Root+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(document) // an error means that the client has disconnected
	})
	mux.Handle(Root+"/", notFound(mux))
	return described, nil
}

// register disables huma's own documentation pages, which load scripts from other
// hosts, and its schema links, which add a field to every object.
func (a *api) register(mux *http.ServeMux) *huma.OpenAPI {
	config := huma.DefaultConfig(a.Title+" API", a.Version)
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "A token of `baler token create`, or the server's own; " +
			"a server on a loopback address may need none."},
	}
	config.Info.License = &huma.License{Name: "Apache License 2.0", Identifier: "Apache-2.0"}
	config.OnAddOperation = append(config.OnAddOperation, describeRefusals)
	config.Security = []map[string][]string{{"token": {}}, {}}
	h := humago.NewWithPrefix(mux, Root, config)
	a.registerTransfers(h)
	if a.Submitter != nil {
		a.registerSubmit(h)
	}
	if a.Results != nil {
		a.registerResults(h)
		a.registerFind(h)
	}
	if a.Control != nil {
		a.registerControl(h)
	}
	if a.Fleet != nil {
		a.registerFleet(h)
	}
	if a.Scheduler != nil {
		a.registerSchedules(h)
	}
	if a.Audit != nil {
		a.registerAudit(h)
	}
	return h.OpenAPI()
}

// describeRefusals adds the answers that any operation may give before it begins: no token, too
// small a role, and too many requests.
func describeRefusals(_ *huma.OpenAPI, op *huma.Operation) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests} {
		if key := strconv.Itoa(status); op.Responses[key] == nil {
			op.Responses[key] = &huma.Response{
				Description: http.StatusText(status),
				Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/ErrorModel"}}},
			}
		}
	}
}

// statusGone is the status in the log and the metrics for a client that has disconnected before
// the answer, as proxies have it: nothing is wrong with the server. Nobody reads it.
const statusGone = 499

// internalError logs the cause and leaves it out of the answer, because it may name
// hosts, accounts and queries.
func (a *api) internalError(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		select {
		case <-a.Stopping:
			return problem(http.StatusServiceUnavailable, "The server stops. Come back in a few seconds.")
		default:
			return problem(statusGone, "The client has disconnected.")
		}
	}
	a.Log.ErrorContext(ctx, "api request failed", "operation", doing, "error", err)
	if db.IsOutage(err) {
		return huma.ErrorWithHeaders(problem(http.StatusServiceUnavailable,
			"The server could not "+doing+": the database or Redis does not answer. Come back in a few seconds."),
			http.Header{"Retry-After": {"5"}})
	}
	return problem(http.StatusInternalServerError, "The server could not "+doing+"; its log has the error.")
}
