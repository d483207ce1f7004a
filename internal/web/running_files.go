package web

import (
	"context"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/tasks"
)

// longItem is a file on which a worker works for long.
type longItem struct{ Path, Href, Step, Worker, For, Progress string }

// progressText says how far work is; empty when nothing is known.
func progressText(p tasks.Progress) string {
	var all []string
	switch {
	case p.OfItems > 0:
		all = append(all, humanize.Comma(p.Items)+" of "+humanize.Comma(p.OfItems)+" "+visible(p.Unit))
	case p.Items > 0:
		all = append(all, humanize.Comma(p.Items)+" "+visible(p.Unit))
	}
	switch {
	case p.OfBytes > 0:
		all = append(all, humanize.IBytes(uint64(p.Bytes))+" of "+humanize.IBytes(uint64(p.OfBytes)))
	case p.Bytes > 0:
		all = append(all, humanize.IBytes(uint64(p.Bytes)))
	}
	return strings.TrimSpace(strings.Join(all, ", "))
}

// longFiles lists the files that take long.
func (p *transferPage) longFiles(ctx context.Context, v *transferView, t *tasks.Transfer, now time.Time) error {
	if p.opts.Results == nil || t.State.Ended() || t.State == tasks.StateFinalizing {
		return nil
	}
	work, err := p.opts.Results.LiveWork(ctx, *t)
	if err != nil {
		return err
	}
	for i := range work.Files {
		f := &work.Files[i]
		v.LongFiles = append(v.LongFiles, longItem{
			Path: visible(f.Path), Href: fileLink(t, f.File), Step: visible(f.Step), Worker: visible(f.Worker),
			For: forPeople(max(0, now.Sub(f.StartedAt)).Truncate(time.Second)), Progress: progressText(f.Progress),
		})
	}
	return nil
}
