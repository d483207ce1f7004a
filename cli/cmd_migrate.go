package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
)

// migration is the JSON object that migrate reports.
type migration struct {
	Type     string   `json:"type"` // always "migration"
	Database string   `json:"database"`
	Applied  []string `json:"applied"` // never null
	Pending  []string `json:"pending"` // never null
}

func (p *program) migrateCommand() *cobra.Command {
	var check bool
	var from string
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Migrate the database schema",
		Long: `Migrate applies all pending migrations, even if database.auto_migrate is false.
With --check it only lists them, and exits with 1 if there are any. A database
with a newer schema is an error and stays unchanged.

With --from it copies another database into the one of the settings, which must be
empty, and compares all tables by numbers and digests. It refuses while a worker, a
server or a submission runs on the old database. It can be interrupted and repeated;
until it has ended, no program opens the new database.`,
		Example: `  baler migrate
  baler migrate --check
  baler migrate --from sqlite:baler.db --database mysql://baler@db/baler`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.ownSettings(cmd)
			if err != nil {
				return err
			}
			if from != "" {
				return p.copyDatabase(cmd.Context(), cfg, from)
			}
			m, err := baler.Migrate(cmd.Context(), cfg, p.options(cfg), check)
			if err != nil {
				return err
			}
			return p.migrated(&m)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "only list pending migrations; exit with 1 if there are any")
	cmd.Flags().StringVar(&from, "from", "", "copy the database at `URL` into the one of the settings")
	cmd.MarkFlagsMutuallyExclusive("check", "from")
	return cmd
}

// copiedObject is what a copy reports with --json, one for each table.
type copiedObject struct {
	Type   string `json:"type"` // always "table"
	Table  string `json:"table"`
	Rows   int64  `json:"rows"`
	Digest string `json:"digest"`
}

func (p *program) copyDatabase(ctx context.Context, cfg config.Config, from string) error {
	var rows int64
	tables := int64(0)
	err := baler.CopyDatabase(ctx, cfg, p.options(cfg), from, func(t baler.CopiedTable) {
		rows, tables = rows+t.Rows, tables+1
		if p.json {
			_ = p.object(copiedObject{"table", t.Name, t.Rows, t.Digest}) // output remembers the error
		} else if t.Rows > 0 {
			p.printf("%s: %s", t.Name, plural(t.Rows, "row"))
		}
	})
	if err == nil && !p.json {
		p.printf("Copied %s of %s; all are the same in both databases.", plural(rows, "row"), plural(tables, "table"))
	}
	return err
}

func (p *program) migrated(m *baler.Migration) error {
	if p.json {
		o := migration{"migration", m.Database, append([]string{}, m.Applied...), append([]string{}, m.Pending...)}
		if err := p.object(o); err != nil {
			return err
		}
	} else {
		for _, id := range m.Applied {
			p.printf("applied %s", id)
		}
		for _, id := range m.Pending {
			p.printf("pending %s", id)
		}
		switch {
		case len(m.Pending) > 0:
			p.printf("%s is behind by %s: run 'baler migrate'.", m.Database, plural(int64(len(m.Pending)), "migration"))
		default:
			p.printf("%s is up to date.", m.Database)
		}
	}
	if len(m.Pending) > 0 {
		return codeError(exitError)
	}
	return nil
}
