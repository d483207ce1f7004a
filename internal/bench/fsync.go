package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/balerhq/baler/tasks"
)

// CommitOptions configure Commit. All fields are required.
type CommitOptions struct {
	Files  int
	Batch  int
	Repeat int
}

// flushing is MySQL's innodb_flush_log_at_trx_commit: with 1 a commit waits for
// the disk, with 0 it does not.
const flushing = "innodb_flush_log_at_trx_commit"

// Commit measures a few files, one by one and in batches, with a database that flushes
// every commit to disk and with one that does not. It changes this setting of the server,
// and restores it.
func (p *Env) Commit(ctx context.Context, o CommitOptions, report func(Measurement) error) (err error) {
	t, err := growTree(ctx, p.path("tree"), o.Files)
	if err != nil {
		return err
	}
	address := p.databaseURL
	if p.mysql != nil {
		address = p.mysql.URL()
	}
	db, err := p.connect(address, 1)
	if err != nil {
		return err
	}
	defer func() { err = joinClose(err, db.Close) }()
	var before int
	if err := db.QueryRowContext(ctx, "SELECT @@GLOBAL."+flushing).Scan(&before); err != nil {
		return fmt.Errorf("read %s: %w", flushing, err)
	}
	defer func() { err = errors.Join(err, setFlushing(context.WithoutCancel(ctx), db, before)) }()
	for repeat := range o.Repeat {
		for _, flush := range []int{1, 0} {
			if err := setFlushing(ctx, db, flush); err != nil {
				return err
			}
			p.o.Say("[%d/%d] %s=%d", repeat+1, o.Repeat, flushing, flush)
			if err := p.commit(ctx, t, o.Batch, func(m Measurement) error {
				m.Flush, m.Repeat = &flush, repeat+1
				return report(m)
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Env) commit(ctx context.Context, t tree, batch int, report func(Measurement) error) error {
	m, err := p.perFile(ctx, t)
	if err == nil {
		err = report(m)
	}
	if err != nil {
		return err
	}
	m, err = p.baler(ctx, combination{variant: VariantBulk, via: tasks.ViaBulk, tree: t, handler: "noop", batch: batch, workers: 1})
	if err != nil {
		return err
	}
	return report(m)
}

func setFlushing(ctx context.Context, db *sql.DB, to int) error {
	if _, err := db.ExecContext(ctx, fmt.Sprintf("SET GLOBAL %s = %d", flushing, to)); err != nil {
		return fmt.Errorf("set %s: %w", flushing, err)
	}
	return nil
}
