package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/diskspace"
	"github.com/balerhq/baler/tasks"
)

// PagesOptions configure Pages. Files and Requests are required.
type PagesOptions struct {
	Files    int  // of the transfer; rounded up to a multiple of pageSamples
	Requests int  // of each page after the first
	Busy     bool // two workers are saturated by other transfers
}

// pagesBuffer is the buffer pool of the database, which is smaller than a large transfer.
const pagesBuffer = "512M"

// PagesDatabase has the arguments of a database server that bench starts for Pages.
func PagesDatabase() []string { return []string{"--innodb-buffer-pool-size=" + pagesBuffer} }

// What a transfer takes on the disk, measured with 5,000,000 files, and what must stay free.
const (
	diskPerFile = 1300    // bytes
	diskBasis   = 2 << 30 // bytes: the server's own, and what runs beside with Busy
)

func (o PagesOptions) files() int { return o.copies() * pageSamples }

// copies is how often the samples stand in the transfer.
func (o PagesOptions) copies() int { return max(1, (o.Files+pageSamples-1)/pageSamples) }

// Pages measures the time to the first byte of each page of the dashboard, and of the API,
// over a large transfer. Real workers process a few hundred files of several formats; the
// rows that they record are multiplied within the database. Each page is requested from a
// 'baler serve' of its own, so that its first request finds nothing that another has read.
// When ctx ends, it reports what was measured until then.
func (p *Env) Pages(ctx context.Context, o PagesOptions, report func(PageMeasurement) error) (err error) {
	if err := p.roomFor(o); err != nil {
		return err
	}
	workers := 1
	if o.Busy {
		workers = busyWorkers
	}
	s, err := p.startCluster(ctx, 0)
	if err != nil {
		return err
	}
	defer func() { err = joinClose(err, s.close) }()
	t, err := s.sampleTransfer(ctx, workers)
	if err != nil {
		return err
	}
	large, err := p.multiply(ctx, t, o.copies())
	if err != nil {
		return err
	}
	if err := s.checkCounts(ctx, t.UUID, o); err != nil {
		return err
	}
	lasts := func() error { return nil }
	if o.Busy {
		load, failed := s.startLoad(ctx)
		if failed != nil {
			return failed
		}
		defer func() { err = joinClose(err, load.stop) }()
		lasts = load.lasts
	}
	for _, view := range pageViews(t.UUID, large) {
		m, err := s.measurePage(ctx, view, o)
		if m.Requests > 0 {
			err = errors.Join(err, report(m))
		}
		if err != nil {
			return err
		}
		if err := lasts(); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// roomFor returns an error when the disk has no room for the transfer.
func (p *Env) roomFor(o PagesOptions) error {
	if p.mysql == nil {
		return nil // the disk of a given server is not known
	}
	free, ok := diskspace.Free(p.dir)
	need := uint64(o.files())*diskPerFile + diskBasis
	if ok && free < need {
		return fmt.Errorf("%d files need about %s in %s, which has %s free; set TMPDIR to a larger disk, or give less --files",
			o.files(), humanize.IBytes(need), filepath.Dir(p.dir), humanize.IBytes(free))
	}
	return nil
}

// sampleTransfer makes files, registers them, and has workers process them. Some files are gone
// by then.
func (s *cluster) sampleTransfer(ctx context.Context, workers int) (t tasks.Transfer, err error) {
	samples, err := growPageSamples(s.host.path("samples"))
	if err != nil {
		return t, err
	}
	recipe := s.host.path("recipe-pages.yaml")
	if err := os.WriteFile(recipe, []byte(pagesRecipe), 0o600); err != nil {
		return t, fmt.Errorf("write recipe: %w", err)
	}
	s.host.o.Say("Processing %d files.", samples.files)
	meter := newMeter(nil)
	defer meter.end()
	out, err := s.produce(ctx, meter, "submit", "--json", "--queue", benchQueue, "--via", string(tasks.ViaBulk), "--recipe", recipe,
		"--name", pagesName, samples.root)
	if err != nil {
		return t, err
	}
	var said struct {
		Transfer string `json:"transfer"`
	}
	if err := json.Unmarshal(lastLine(out), &said); err != nil {
		return t, fmt.Errorf("submit: read its report: %w", err)
	}
	for _, path := range samples.lost {
		if err := os.Remove(path); err != nil {
			return t, fmt.Errorf("remove a sample: %w", err)
		}
	}
	if err := s.work(ctx, workers); err != nil {
		return t, err
	}
	return s.b.Wait(ctx, said.Transfer, nil)
}

// checkCounts returns an error unless the transfer counts what it has.
func (s *cluster) checkCounts(ctx context.Context, uuid string, o PagesOptions) error {
	t, err := s.b.Transfer(ctx, uuid)
	if err != nil {
		return err
	}
	if files := int64(o.files()); t.Files != files || t.Finished != files || t.State != tasks.StateCompleted {
		return fmt.Errorf("the transfer is %s with %d of %d files finished, instead of %d", t.State, t.Finished, t.Files, files)
	}
	return nil
}
