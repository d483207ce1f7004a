package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

type watchFlags struct {
	baler.WatchSettings

	recipe, each, queue string
	weight              int
	stopAfter           string
	webhooks            webhooks
	noReuse             bool
}

func (p *program) watchCommand() *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:   "watch FOLDER",
		Short: "Submit what settles in a folder",
		Long: `Watch submits each file in a folder, at every depth, as a transfer of its own, or with
--each folder each folder in it, until it is stopped. Workers process them. What was there
before is submitted too.

An entry is submitted when its size and its time have not changed for --settle. With
--marker it is submitted when its marker is there: with --each folder a file of this name in
the folder, with --each file one beside the file whose name is that of the file and the
marker, as scan.tif.ready for --marker .ready.

Hidden and temporary names (.name, name~, name.part, name.crdownload, name.tmp …) are left
out, and so are links. An entry that changes after it was submitted is submitted again when
its transfer has ended.

When its transfer has ended, an entry is moved to --done, or to --failed if files failed; both
lie on the file system of the folder. Without them it stays, and is not submitted again.

The database knows what was submitted, so that nothing is submitted twice, nor lost, when the
process is killed. Several may watch one folder; one acts, and another takes over from it.`,
		Example: `  baler watch /srv/incoming --recipe checksum --done /srv/done --failed /srv/failed
  baler watch /srv/scans --each folder --marker COMPLETE
  baler watch /mnt/share --poll 30s --settle 1m`,
		Args:        cobra.ExactArgs(1),
		Annotations: map[string]string{service: "true"},
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Folder, f.Each = args[0], baler.WatchEach(f.each)
			if f.Marker != "" && !cmd.Flags().Changed("settle") {
				f.Settle = 0
			}
			return p.with(cmd, baler.OpenProducer, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				return p.watchFolder(ctx, b, &f)
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	p.recipeFlag(cmd, &f.recipe)
	flags.StringVar(&f.each, "each", "file", "what is a transfer: each file, or each folder in the watched one; `WHAT` is file or folder")
	complete(cmd, "each", "file", "folder")
	durationVar(flags, &f.Settle, "settle", baler.DefaultSettle, "`TIME` that an entry must stay as it is (0 with --marker)")
	flags.StringVar(&f.Marker, "marker", "", "`NAME` of the file that says that an entry is complete, or its ending")
	flags.StringVar(&f.Done, "done", "", "move entries to `DIR` when their transfers have ended")
	flags.StringVar(&f.Failed, "failed", "", "move entries to `DIR` when files of their transfers have failed")
	durationVar(flags, &f.Poll, "poll", 0,
		"look every `TIME`, as it does every 10s on network shares (default: when the system notifies of changes)")
	flags.BoolVar(&f.Hidden, "hidden", false, "submit hidden and temporary names too")
	flags.StringVar(&f.Name, "name", "",
		"`NAME` of the watch: hosts that watch different folders of one path need different ones (default: the path)")
	flags.Var(checked{&f.queue, tasks.CheckQueue}, "queue", "`QUEUE` to use (default: default)")
	completeBy(cmd, "queue", p.completeQueues())
	weightFlag(cmd, &f.weight)
	stopAfterFlag(cmd, &f.stopAfter)
	webhookFlag(cmd, &f.webhooks)
	noReuseFlag(cmd, &f.noReuse)
	flags.String("admin-listen", "", "`ADDRESS` of /metrics, /healthz and /readyz, or off (default: a free port of this host)")
	bind(flags, "admin-listen", "worker.admin_listen")
	durationVar(flags, new(time.Duration), "grace", 0, "`TIME` to finish a submission after a stop signal (default: 30s)")
	bind(flags, "grace", "worker.grace")
	return cmd
}

func (p *program) watchFolder(ctx context.Context, b *baler.Baler, f *watchFlags) error {
	if err := f.webhooks.check(); err != nil {
		return err
	}
	if err := checkWeight(f.weight); err != nil {
		return err
	}
	r, err := b.Recipe(ctx, f.recipe)
	if err = p.allowRemoteHandlers(err); err != nil {
		return err
	}
	return b.Watch(ctx, f.WatchSettings, baler.WatchOptions{
		Recipe: r, Queue: f.queue, Weight: f.weight, Webhooks: f.webhooks, NoReuse: f.noReuse, StopAfter: f.stopAfter,
		OnReady: func(s baler.WatchSettings) {
			database, _ := b.Describe()
			p.notef("Watching %s: each %s is a transfer, %s. Database %s. Stop it with Ctrl-C.",
				printable(s.Folder), s.Each, whenComplete(&s), database)
		},
	})
}

// whenComplete says when an entry is submitted.
func whenComplete(s *baler.WatchSettings) string {
	switch settle := s.Settle.Round(time.Millisecond); {
	case s.Marker == "":
		return fmt.Sprintf("once it has not changed for %s", settle)
	case settle == 0:
		return fmt.Sprintf("once its marker %s is there", printable(s.Marker))
	default:
		return fmt.Sprintf("once its marker %s is there and it has not changed for %s", printable(s.Marker), settle)
	}
}
