package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// ErrKeyReused says that an idempotency key was used before, for another request.
var ErrKeyReused = errors.New("the key was used before, for another request")

// ErrOtherWebhooks says that a transfer goes on that does not notify what a run names.
var ErrOtherWebhooks = errors.New("the transfer that goes on has other webhooks")

// ByKey returns the transfer that the submission's key has made, and false when there
// is none. A transfer of another request is an ErrKeyReused that names the difference.
func (g *Ingester) ByKey(ctx context.Context, s *TransferRequest, sources []string) (t tasks.Transfer, found bool, err error) {
	if s.IdempotencyKey == "" {
		return t, false, nil
	}
	t, err = g.store.TransferByKey(ctx, s.IdempotencyKey)
	if errors.Is(err, tasks.ErrTransferNotFound) {
		return tasks.Transfer{}, false, nil
	}
	if err == nil {
		n := g.newTransfer(s, sources, "")
		err = errors.Join(sameRequest(&t, &n, s.Recipe), g.sameWebhooks(ctx, &t, s))
	}
	if err != nil {
		return tasks.Transfer{}, false, err
	}
	return t, true, nil
}

// sameRequest compares a transfer with a request that has its key. It does not compare
// lists, which CheckList and RegisterRestOfList read, and not what changes neither which
// files are processed nor how: names, the way into the queue, whether missing paths are
// accepted, the deadline, and what a person has changed since.
func sameRequest(t *tasks.Transfer, n *store.NewTransfer, r *recipe.Recipe) error {
	var had []string
	if then, now := distinct(t.Sources), distinct(n.Sources); !slices.Equal(then, now) {
		had = append(had, sourceDifference(then, now))
	}
	if was, err := recipe.Parse("", []byte(t.Recipe)); t.Recipe != n.Recipe && (err != nil || !was.Equivalent(r)) {
		if err == nil && was.Name != r.Name {
			had = append(had, fmt.Sprintf("the recipe %q, not %q", was.Name, r.Name))
		} else {
			had = append(had, fmt.Sprintf("another version of the recipe %q", r.Name))
		}
	}
	if then, now := t.Selection.String(), n.Selection.String(); then != now {
		had = append(had, fmt.Sprintf("the selection %s, not %s", then, now))
	}
	if t.Queue != n.Queue {
		had = append(had, fmt.Sprintf("the queue %q, not %q", t.Queue, n.Queue))
	}
	updated := !t.UpdatedAt.IsZero() // by a person: the same request has other values than the transfer
	if now := max(n.Weight, 1); t.Weight != now && !updated {
		had = append(had, fmt.Sprintf("the weight %d, not %d", t.Weight, now))
	}
	if t.StopAfter != n.StopAfter && !updated {
		had = append(had, fmt.Sprintf("stop after %s, not %s", t.StopAfter, n.StopAfter))
	}
	if t.NoReuse != n.NoReuse {
		had = append(had, map[bool]string{true: "--no-reuse", false: "no --no-reuse"}[t.NoReuse])
	}
	if len(had) == 0 {
		return nil
	}
	return reused(t, n.Key, strings.Join(had, ", and "))
}

// reused is the error for the key of a transfer that has something else than a request.
func reused(t *tasks.Transfer, key, has string) error {
	of := ""
	if key != "" {
		of = fmt.Sprintf(" of key %q", key)
	}
	return fmt.Errorf("%w: transfer %s%s has %s; use another key, or submit the same again", ErrKeyReused, t.UUID, of, has)
}

// sameWebhooks reports an ErrKeyReused when a submission names a webhook that is not to be
// notified of the transfer's end.
func (g *Ingester) sameWebhooks(ctx context.Context, t *tasks.Transfer, s *TransferRequest) error {
	lacks, err := g.lacksWebhooks(ctx, t, s)
	if err != nil || lacks == 0 {
		return err
	}
	return reused(t, s.IdempotencyKey, fmt.Sprintf("%d of the %d webhooks of this submission", len(s.Webhooks)-lacks, len(s.Webhooks)))
}

// notifiesToo reports an ErrOtherWebhooks when a run that goes on with a transfer names a
// webhook that is not to be notified of it: the run would end, and nobody would hear of it.
func (g *Ingester) notifiesToo(ctx context.Context, t *tasks.Transfer, s *TransferRequest) error {
	lacks, err := g.lacksWebhooks(ctx, t, s)
	if err != nil || lacks == 0 {
		return err
	}
	return fmt.Errorf("%w: it has %d of the %d of this run; leave the others out, or end transfer %s first with 'baler cancel %s'",
		ErrOtherWebhooks, len(s.Webhooks)-lacks, len(s.Webhooks), t.UUID, t.UUID)
}

// lacksWebhooks counts the webhooks of a submission that the transfer does not have. No error
// shows them, because their URLs may have secrets.
func (g *Ingester) lacksWebhooks(ctx context.Context, t *tasks.Transfer, s *TransferRequest) (int, error) {
	if len(s.Webhooks) == 0 {
		return 0, nil
	}
	had, err := g.store.WebhookURLs(ctx, t.ID)
	return len(without(s.Webhooks, had)), err
}

// distinct returns the sources in one order, each once: the order in which they were
// named makes no other files.
func distinct(sources []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(sources)))
}

// sourceDifference names the sources that only one of the two has.
func sourceDifference(then, now []string) string {
	switch {
	case FromList(then):
		return "paths from a list, not " + named(now)
	case FromList(now):
		return named(then) + ", not paths from a list"
	}
	gone, added := without(then, now), without(now, then)
	switch {
	case len(gone) == 0:
		return "no path " + named(added)
	case len(added) == 0:
		return "also the path " + named(gone)
	}
	return fmt.Sprintf("the path %s, not %s", named(gone), named(added))
}

func without(paths, others []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return slices.Contains(others, p) })
}

// named shows the first of some paths.
func named(paths []string) string {
	const shown = 3
	var texts []string
	for i, p := range paths {
		if i == shown {
			return fmt.Sprintf("%s and %d more", strings.Join(texts, ", "), len(paths)-i)
		}
		texts = append(texts, strconv.Quote(p))
	}
	return strings.Join(texts, ", ")
}
