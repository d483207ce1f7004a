package fixity

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Kind is how a file of one transfer differs from that of another.
type Kind string

// The kinds of differences, as the fields of ledger.Fixity.
const (
	KindNew     Kind = "new"
	KindChanged Kind = "changed"
	KindDamaged Kind = "damaged"
	KindMissing Kind = "missing"
	KindMoved   Kind = "moved"
	KindUnread  Kind = "unread"
)

// Difference is a file that differs between two transfers.
type Difference struct {
	Kind    Kind
	Path    string     // relative to its source
	To      string     // of a file that is moved: where it is now
	Content Comparison // of a file that has changed

	// Was and Is are the file in the earlier and in the later transfer; zero: it is not there.
	Was, Is tasks.FileKey
}

// DiffReader reads what Diff compares.
type DiffReader interface {
	Reader

	// FilesByPath yields the files of a transfer at and below a source in the order of
	// their paths; the source "" stands for all.
	FilesByPath(ctx context.Context, transfer int64, source string) iter.Seq2[tasks.File, error]

	// FailedFiles returns which files, given by transfer, have a result that is a failure.
	FailedFiles(ctx context.Context, numbers map[int64][]int64) (map[tasks.FileKey]bool, error)
}

// Errors of Diff.
var (
	ErrDiffRunning = errors.New("the transfer has not ended")
	ErrDiffChunks  = errors.New("the transfer has chunks of files, which a recipe splits; only whole files can be compared")
)

// Diff compares the files of transfer b with those of transfer a, by their paths relative to
// their sources. It calls found with each difference: first those of files that both have,
// in the order of paths, then those that are moved, missing and new. It holds a page of
// files in memory, the numbers of those that only one transfer has, and what MatchMoved holds.
func Diff(ctx context.Context, r DiffReader, a, b *tasks.Transfer, found func(Difference) error) (ledger.Fixity, error) {
	for _, t := range []*tasks.Transfer{a, b} {
		if !t.State.Ended() {
			return ledger.Fixity{}, fmt.Errorf("transfer %d: %w", t.ID, ErrDiffRunning)
		}
		if r, err := recipe.Parse("", []byte(t.Recipe)); err == nil && r.Split > 0 {
			return ledger.Fixity{}, fmt.Errorf("transfer %d: %w", t.ID, ErrDiffChunks)
		}
	}
	counts, err := diff(ctx, r, a, b, found)
	if err != nil {
		return counts, fmt.Errorf("compare transfers: %w", err)
	}
	return counts, nil
}

func diff(ctx context.Context, r DiffReader, a, b *tasks.Transfer, found func(Difference) error) (ledger.Fixity, error) {
	d := &differ{r: r, a: a, b: b, found: found}
	for _, p := range pairSources(a.Sources, b.Sources) {
		if err := d.source(ctx, p); err != nil {
			return d.counts, err
		}
	}
	if err := d.flush(ctx); err != nil {
		return d.counts, err
	}
	return d.counts, d.onlyOne(ctx)
}

type differ struct {
	r      DiffReader
	a, b   *tasks.Transfer
	found  func(Difference) error
	counts ledger.Fixity

	both         [][2]tasks.File // not compared yet
	onlyA, onlyB []tasks.FileKey
}

// source compares the files of a pair of sources: it merges them by their paths.
func (d *differ) source(ctx context.Context, p sourcePair) error {
	as, stopA := d.cursor(ctx, d.a, p.a)
	defer stopA()
	bs, stopB := d.cursor(ctx, d.b, p.b)
	defer stopB()
	fa, okA, err := as.next()
	if err != nil {
		return err
	}
	fb, okB, err := bs.next()
	for err == nil && (okA || okB) {
		var order int
		switch {
		case !okB:
			order = -1
		case !okA:
			order = 1
		default:
			order = strings.Compare(as.relative(&fa), bs.relative(&fb))
		}
		switch {
		case order < 0:
			d.noteOnlyA(&fa)
		case order > 0:
			err = d.noteOnlyB(&fb)
		default:
			d.both = append(d.both, [2]tasks.File{fa, fb})
			if len(d.both) == Page {
				err = d.flush(ctx)
			}
		}
		if err == nil && order <= 0 {
			fa, okA, err = as.next()
		}
		if err == nil && order >= 0 {
			fb, okB, err = bs.next()
		}
	}
	return err
}

func (d *differ) noteOnlyA(f *tasks.File) {
	if f.ScanError == "" { // else nothing was known of it
		d.onlyA = append(d.onlyA, d.inA(f))
	}
}

func (d *differ) noteOnlyB(f *tasks.File) error {
	if f.ScanError != "" {
		d.counts.Unread++
		return d.found(Difference{Kind: KindUnread, Path: shown(f.Path, d.b.Sources), Is: d.inB(f)})
	}
	d.onlyB = append(d.onlyB, d.inB(f))
	return nil
}

func (d *differ) inA(f *tasks.File) tasks.FileKey { return tasks.FileKey{Transfer: d.a.ID, File: f.No} }
func (d *differ) inB(f *tasks.File) tasks.FileKey { return tasks.FileKey{Transfer: d.b.ID, File: f.No} }

// flush compares the files that both transfers have.
func (d *differ) flush(ctx context.Context) error {
	keys := make([]tasks.FileKey, 0, 2*len(d.both))
	for _, f := range d.both {
		keys = append(keys, d.inA(&f[0]), d.inB(&f[1]))
	}
	facts, err := FactsOf(ctx, d.r, keys)
	if err != nil {
		return err
	}
	compared := make([]Comparison, len(d.both))
	var unread []int64
	for i := range d.both {
		if compared[i] = Compare(facts[keys[2*i]], facts[keys[2*i+1]]); compared[i] == Unread {
			unread = append(unread, keys[2*i+1].File)
		}
	}
	failed := map[tasks.FileKey]bool{}
	if len(unread) > 0 {
		if failed, err = d.r.FailedFiles(ctx, map[int64][]int64{d.b.ID: unread}); err != nil {
			return err
		}
	}
	for i := range d.both {
		if compared[i] == Unread && !failed[keys[2*i+1]] {
			compared[i] = Unknown // no step has read it for a digest
		}
		if err := d.compare(&d.both[i][0], &d.both[i][1], compared[i]); err != nil {
			return err
		}
	}
	d.both = d.both[:0]
	return nil
}

// compare counts a file that both transfers have.
func (d *differ) compare(a, b *tasks.File, content Comparison) error {
	kind, counted := KindUnread, &d.counts.Unread
	switch {
	case b.ScanError != "":
	case a.ScanError != "":
		kind, counted = KindNew, &d.counts.New // nothing was known of it
	case content == Unread:
	case touched(a, b):
		kind, counted = KindChanged, &d.counts.Changed
	case content == Differs:
		kind, counted = KindDamaged, &d.counts.Damaged
	default:
		d.counts.Unchanged++
		if content == Unknown {
			d.counts.Uncompared++
		}
		return nil
	}
	*counted++
	return d.found(Difference{Kind: kind, Path: shown(b.Path, d.b.Sources), Content: content, Was: d.inA(a), Is: d.inB(b)})
}

// touched reports whether a file was written to between two scans. The version of an object
// tells better than its time, which is that of the last upload, also of the same content.
func touched(a, b *tasks.File) bool {
	if a.Version != "" && b.Version != "" {
		return a.Size != b.Size || a.Version != b.Version
	}
	return a.Size != b.Size || !a.MTime.Equal(b.MTime)
}

// onlyOne reports the files that only one transfer has.
func (d *differ) onlyOne(ctx context.Context) error {
	moves, err := MatchMoved(ctx, d.r, d.onlyA, d.onlyB)
	if err != nil {
		return err
	}
	if err := d.reportMoved(ctx, moves); err != nil {
		return err
	}
	for _, m := range moves {
		d.onlyA[m.Gone], d.onlyB[m.New] = tasks.FileKey{}, tasks.FileKey{}
	}
	d.counts.Moved = int64(len(moves))
	d.counts.Missing, d.counts.New = int64(len(d.onlyA)-len(moves)), d.counts.New+int64(len(d.onlyB)-len(moves))
	err = d.eachFile(ctx, d.onlyA, d.a, func(k tasks.FileKey, path string) error {
		return d.found(Difference{Kind: KindMissing, Path: path, Was: k})
	})
	if err != nil {
		return err
	}
	return d.eachFile(ctx, d.onlyB, d.b, func(k tasks.FileKey, path string) error {
		return d.found(Difference{Kind: KindNew, Path: path, Is: k})
	})
}

func (d *differ) reportMoved(ctx context.Context, moves []Move) error {
	for first := 0; first < len(moves); first += Page {
		page := moves[first:min(first+Page, len(moves))]
		var keys []tasks.FileKey
		for _, m := range page {
			keys = append(keys, d.onlyA[m.Gone], d.onlyB[m.New])
		}
		files, err := FilesOf(ctx, d.r, keys)
		if err != nil {
			return err
		}
		for i := range page {
			from, to := files[keys[2*i]], files[keys[2*i+1]]
			err := d.found(Difference{
				Kind: KindMoved, Path: shown(from.Path, d.a.Sources), To: shown(to.Path, d.b.Sources), Was: keys[2*i], Is: keys[2*i+1],
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// eachFile calls do with the path of each file; zero keys are left out.
func (d *differ) eachFile(
	ctx context.Context, keys []tasks.FileKey, of *tasks.Transfer, do func(k tasks.FileKey, path string) error,
) error {
	for first := 0; first < len(keys); first += Page {
		page := keys[first:min(first+Page, len(keys))]
		files, err := FilesOf(ctx, d.r, page)
		if err != nil {
			return err
		}
		for _, k := range page {
			if k.Transfer == 0 {
				continue
			}
			if err := do(k, shown(files[k].Path, of.Sources)); err != nil {
				return err
			}
		}
	}
	return nil
}
