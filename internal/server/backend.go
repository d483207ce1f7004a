// Package server is what a process that answers HTTP does, beside what internal/web and
// internal/api do for each request: it reads and changes what they ask for, says who may use
// the server, makes the transfers of schedules, and watches the replica of the database.
package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/control"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/metrics"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/storage"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/tracing"
	"github.com/balerhq/baler/recipe"
)

// Options are what a Backend answers with, and the settings of its servers.
type Options struct {
	Store    *store.Store
	Queue    *queue.Conn // nil: only Check… and Admin
	Control  *control.Controller
	Ingester *ingest.Ingester
	Registry *handlers.Registry
	Objects  *storage.Buckets
	Metrics  *prometheus.Registry
	Log      *slog.Logger
	Tracer   *tracing.Tracer  // nil: no traces
	Now      func() time.Time // the clock of the database
	Version  string
	Name     string // of this process, unique among live ones

	HTTP     config.HTTPSettings
	Database config.DatabaseSettings // of the replica
	StateDir string                  // is never scanned

	Certificates *metrics.Certificates // nil: no metric says when they end

	// Readable are the folders and prefixes in object storage that may be submitted; Writable
	// those that final steps may write to.
	Readable, Writable []string
	RecipeFolders      []string // whose recipes clients may name, beside the built-in ones

	// CheckRecipe reports what the handlers of the live workers cannot run of a recipe.
	CheckRecipe func(context.Context, *recipe.Recipe) error

	// OutputFiles finds what the final steps of a recipe write.
	OutputFiles ingest.OutputFinder

	// RunFixity compares files with earlier transfers while the workers process them. problem
	// says what is damaged or missing.
	RunFixity func(context.Context, ingest.TransferRequest) (transfer, problem string, err error)
}

// Backend is what the HTTP servers of one process answer with: it does for internal/api and
// internal/web what the Go API does for a program. Make one with New for each server.
type Backend struct {
	Options
	*control.Controller

	registrar *ingest.ServerRegistrar
	failures  keptFailures
	replica   *replica // nil: there is none
	ownRun    bool     // it shows the pages of one person's run
}

// New makes a Backend.
func New(o Options) *Backend {
	return &Backend{
		Options: o, Controller: o.Control, registrar: ingest.NewServerRegistrar(o.Ingester, o.OutputFiles),
	}
}
