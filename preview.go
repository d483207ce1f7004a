package baler

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/internal/ingest"
)

// Preview says what a submission would register.
type Preview = ingest.Preview

// ExtensionCount counts the files of a Preview with one extension.
type ExtensionCount = ingest.ExtensionCount

// SizeCount counts the files of a Preview in one range of sizes.
type SizeCount = ingest.SizeCount

// PreviewSubmit scans the files of a submission, and registers nothing.
func (b *Baler) PreviewSubmit(ctx context.Context, s Submission) (Preview, error) {
	return b.preview(ctx, s, false)
}

// PreviewRun scans the files of a run, and registers nothing. It counts only files that
// the run would process: those that are new or have changed since earlier runs. It does
// not look for files that are gone.
func (b *Baler) PreviewRun(ctx context.Context, s Submission) (Preview, error) {
	return b.preview(ctx, s, true)
}

func (b *Baler) preview(ctx context.Context, s Submission, run bool) (p Preview, err error) {
	sub := ingest.Submission(s)
	sources, err := b.ingester.Sources(&sub)
	if err == nil {
		err = sub.CheckPaths()
	}
	if err != nil {
		return p, err
	}
	leftOut, err := b.outputFiles(s.Recipe, s.Name, sources)
	if err != nil {
		return p, err
	}
	runKey := ""
	if run {
		runKey = runKeyOf(&sub, sources)
	}
	if p, err = b.ingester.Preview(ctx, &sub, sources, runKey, leftOut); err != nil {
		return p, fmt.Errorf("preview: %w", err)
	}
	return p, nil
}
