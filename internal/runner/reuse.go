package runner

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// reuse is what one batch of a step with reuse knows of results that its files take over,
// and of those that later transfers can. The zero value is for other steps.
type reuse struct {
	found map[int64]tasks.Result // by file

	mu   sync.Mutex
	keys map[int64]ledger.ReuseKey // of files whose results can be taken over
}

// lookForReuse finds results that files of the batch can take over: in one query for each
// thousand files. A later attempt takes over none, but its result can be.
func (r *batchRun) lookForReuse(ctx context.Context) error {
	step := r.plan.Step(r.batch.Step)
	if step.Reuse.By == recipe.ReuseNothing || r.registration.Reuse == handlers.ReuseNever || r.poisoned || r.canceled.Err() != nil {
		return nil //nolint:nilerr // a canceled batch looks for nothing
	}
	r.reuse.keys = make(map[int64]ledger.ReuseKey, len(r.work))
	commands := r.commandAccess()
	for i := range r.work {
		if key, ok := r.reuseKey(step, &r.work[i], commands); ok {
			r.reuse.keys[r.work[i].No] = key
		}
	}
	if r.plan.NoReuse || r.batch.Attempt > 1 || len(r.reuse.keys) == 0 {
		return nil
	}
	q := ledger.ReuseQuery{Transfer: r.batch.Transfer, Step: r.batch.Step, Keys: r.reuse.keys}
	if step.Reuse.MaxAge > 0 {
		q.Since = r.now().Add(-step.Reuse.MaxAge)
	}
	found, err := r.store.Reusable(ctx, q)
	r.reuse.found = found
	return err
}

// reuseKey is what must be the same for a file to take over a result. It is not ok for a
// file of which that is not known.
func (r *batchRun) reuseKey(
	step *recipe.Step, f *tasks.File, commands func() handlers.CommandAccess,
) (key ledger.ReuseKey, ok bool) {
	if f.ScanError != "" || f.Part > 0 || f.MTime.IsZero() {
		return key, false
	}
	facts := r.facts[f.No]
	args, err := step.Args(f, facts)
	if err != nil {
		return key, false // build reports it
	}
	alike := map[string]any{
		"handler": r.registration.Name, "version": r.registration.ReuseVersion, "also": step.Reuse.Version, "by": step.Reuse.By,
	}
	if !r.registration.IgnoresFacts {
		alike["facts"] = facts
	}
	switch step.Reuse.By {
	case recipe.ReuseDigest:
		digest := digestOf(facts)
		if digest == "" {
			return key, false
		}
		key.File = fileKey(digest)
		alike["args"] = withoutPath(args, f.Path)
		if r.registration.Reuse == handlers.ReuseByName {
			alike["extension"] = strings.ToLower(filepath.Ext(f.Path))
		}
	default:
		key.File = fileKey(fmt.Sprintf("%d %d %q %s", f.Size, f.MTime.UnixMicro(), f.Version, f.Path))
		alike["args"] = args
	}
	if state := r.registration.ReuseState; state != nil {
		if alike["state"], ok = state(withoutPath(args, f.Path), commands().Dir); !ok {
			return key, false
		}
	}
	text, err := json.Marshal(alike) // keys come out sorted
	if err != nil {                  // a template may give a value that is no JSON
		return key, false
	}
	sum := sha256.Sum256(text)
	copy(key.Fingerprint[:], sum[:])
	return key, true
}

func fileKey(text string) (key [20]byte) {
	sum := sha256.Sum256([]byte(text))
	copy(key[:], sum[:])
	return key
}

// digestOf is the digest that stands for the content of a file, with its kind; empty when
// none is recorded.
func digestOf(facts map[string]any) string {
	for _, name := range recipe.SecureDigests() {
		if digest, ok := facts[name].(string); ok && digest != "" {
			return name + ":" + strings.ToLower(digest)
		}
	}
	return ""
}

// withoutPath replaces the file's own path in arguments: by digest it makes no difference
// where the file lies.
func withoutPath(args any, path string) any {
	switch value := args.(type) {
	case string:
		return strings.ReplaceAll(value, path, "\x00path")
	case []any:
		out := make([]any, len(value))
		for i, item := range value {
			out[i] = withoutPath(item, path)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(value))
		for name, item := range value {
			out[name] = withoutPath(item, path)
		}
		return out
	}
	return args
}

// ended is called for each job that has ended. The result of a file that has changed meanwhile is
// not that of its digest or its modification time, and cannot be taken over.
func (r *batchRun) ended(j *handlers.Job) {
	if r.reuse.keys != nil {
		no, result := j.File().No, j.Result()
		if len(result.Emitted) > 0 || result.Reused == nil && (result.Outcome.StopsRecipe() || !j.Unchanged()) {
			r.reuse.mu.Lock()
			delete(r.reuse.keys, no)
			r.reuse.mu.Unlock()
		}
	}
	r.partial.add(j)
}

// reusable says which of the results can be taken over later; nil without any.
func (r *batchRun) reusable(results []tasks.Result) map[int64]ledger.Reusable {
	if r.reuse.keys == nil {
		return nil
	}
	r.reuse.mu.Lock()
	defer r.reuse.mu.Unlock()
	all := make(map[int64]ledger.Reusable, len(results))
	for i := range results {
		key, ok := r.reuse.keys[results[i].File]
		if !ok {
			continue
		}
		ran := tasks.Reused{Transfer: r.plan.UUID, File: results[i].File, RanAt: results[i].EndedAt}
		if from := results[i].Reused; from != nil {
			ran = *from
		}
		all[results[i].File] = ledger.Reusable{ReuseKey: key, Handler: r.registration.Name, Ran: ran}
	}
	return all
}
