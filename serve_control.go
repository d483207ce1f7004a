package baler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/export"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Results implements api.Results.
func (h *httpFace) Results(
	ctx context.Context, t tasks.Transfer, f tasks.ResultSelector, after tasks.ResultKey, limit int,
) ([]tasks.ResultRow, error) {
	return h.store.Results(ctx, t.ID, f, after, limit)
}

// Failures implements api.Results.
func (h *httpFace) Failures(ctx context.Context, t tasks.Transfer, f tasks.ResultSelector, limit int) ([]tasks.FailureGroup, error) {
	return h.failures.get(ctx, &t, &f, limit, h.store.FailureGroups)
}

// FilesAfter implements api.Results.
func (h *httpFace) FilesAfter(ctx context.Context, t tasks.Transfer, after int64, limit int) ([]tasks.File, error) {
	return h.store.ListFiles(ctx, t.ID, after, limit)
}

// Export implements api.Results.
func (h *httpFace) Export(ctx context.Context, t tasks.Transfer, f export.Format, w io.Writer) (api.ExportTotals, error) {
	done, err := h.Baler.Export(ctx, t.UUID, f, w)
	return api.ExportTotals{Files: done.Files, Results: done.Results, State: done.Transfer.State}, err
}

// Retry implements api.Control.
func (h *httpFace) Retry(ctx context.Context, t tasks.Transfer, f tasks.ResultSelector) (int64, error) {
	n, err := h.retryResults(ctx, t, f)
	if errors.Is(err, ErrRetryInProgress) {
		err = &api.RequestError{Err: err, Conflict: true}
	}
	return n, err
}

// CancelFiles implements api.Control.
func (h *httpFace) CancelFiles(ctx context.Context, t tasks.Transfer, f tasks.ResultSelector) (int64, error) {
	n, err := h.cancelSelected(ctx, t, f)
	if errors.Is(err, ErrNothingSelected) {
		err = &api.RequestError{Err: err}
	}
	return n, err
}

// RetryFinalizers implements api.Control.
func (h *httpFace) RetryFinalizers(ctx context.Context, t tasks.Transfer) (int64, error) {
	n, err := h.Baler.RetryFinalizers(ctx, t)
	if errors.Is(err, ErrNotCompleted) {
		err = &api.RequestError{Err: err, Conflict: true}
	}
	return n, err
}

// Decide implements api.Control.
func (h *httpFace) Decide(ctx context.Context, t tasks.Transfer, d tasks.Decision) (string, error) {
	d.Who = accounts.From(ctx).Name
	step, err := h.Baler.Decide(ctx, t, d)
	if errors.Is(err, ErrNoApproval) {
		err = &api.RequestError{Err: err, Conflict: true}
	} else if d.Check() != nil {
		err = &api.RequestError{Field: "comment", Err: err}
	}
	return step, err
}

// FindTransfer implements api.Results.
func (h *httpFace) FindTransfer(ctx context.Context, ref string) (tasks.Transfer, error) {
	t, err := h.Baler.FindTransfer(ctx, ref)
	_, several := errors.AsType[*AmbiguousError](err)
	switch {
	case several:
		err = &api.RequestError{Err: err, Conflict: true}
	case errors.Is(err, tasks.ErrTransferNotFound):
		err = &api.RequestError{Err: err, Missing: true}
	}
	return t, err
}

// SetWorkerState implements api.Fleet.
func (h *httpFace) SetWorkerState(ctx context.Context, name string, desired tasks.DesiredState) error {
	err := h.Baler.SetWorkerState(ctx, name, desired)
	if errors.Is(err, ErrWorkerNotFound) {
		err = &api.RequestError{Err: err, Missing: true}
	}
	return err
}

// SetWorkerLogLevel implements api.Fleet.
func (h *httpFace) SetWorkerLogLevel(ctx context.Context, name, level string) error {
	err := h.Baler.SetWorkerLogLevel(ctx, name, level)
	if errors.Is(err, ErrWorkerNotFound) {
		err = &api.RequestError{Err: err, Missing: true}
	}
	return err
}

// PauseQueue implements api.Fleet. A queue that is in the state already stays in it.
func (h *httpFace) PauseQueue(ctx context.Context, name string, pause bool) error {
	queues, err := h.Queues(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(queues, func(q QueueStats) bool { return q.Name == name })
	switch {
	case i < 0:
		return &api.RequestError{Err: fmt.Errorf("there is no queue %q", name), Missing: true}
	case queues[i].Paused == pause:
		return nil
	}
	return h.Baler.PauseQueue(ctx, name, pause)
}

// Recipes implements api.Submitter: the built-in recipes, and those in the folders of
// worker.recipes.
func (h *httpFace) Recipes() []string {
	names := slices.AppendSeq(recipe.Builtins(), maps.Keys(h.recipeFiles()))
	slices.Sort(names)
	return slices.Compact(names)
}

// recipePath returns what recipe.Load takes for a recipe that Recipes names.
func (h *httpFace) recipePath(name string) (path string, known bool) {
	if path, known = h.recipeFiles()[name]; known { // a site may replace a built-in recipe
		return path, true
	}
	return name, slices.Contains(recipe.Builtins(), name)
}

// recipeFiles returns the paths of the recipes in the folders of worker.recipes, by name. It
// reads the folders each time, so that a new recipe needs no restart.
func (h *httpFace) recipeFiles() map[string]string {
	files := make(map[string]string)
	for _, dir := range h.cfg.Worker.Recipes {
		for _, pattern := range []string{"*.yaml", "*.yml"} {
			paths, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				continue // the pattern is valid
			}
			for _, p := range paths {
				name := strings.TrimSuffix(filepath.Base(p), filepath.Ext(p))
				if _, ok := files[name]; !ok {
					files[name] = p
				}
			}
		}
	}
	return files
}

// Recipe implements api.Submitter.
func (h *httpFace) Recipe(name string) (yaml string, known bool) {
	path, known := h.recipePath(name)
	if !known {
		return "", false
	}
	r, err := recipe.Load(path)
	if err != nil {
		return "# This recipe is not valid: " + strings.ReplaceAll(err.Error(), "\n", "\n# ") + "\n", true
	}
	return r.YAML(), true
}
