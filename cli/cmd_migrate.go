package cli

import (
	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
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
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Migrate the database schema",
		Long: `Migrate applies all pending migrations, even if database.auto_migrate is false.
With --check it only lists them, and exits with 1 if there are any. A database
with a newer schema is an error and stays unchanged.`,
		Example: `  baler migrate
  baler migrate --check`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.ownSettings(cmd)
			if err != nil {
				return err
			}
			m, err := baler.Migrate(cmd.Context(), cfg, p.options(cfg), check)
			if err != nil {
				return err
			}
			return p.migrated(&m)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "only list pending migrations; exit with 1 if there are any")
	return cmd
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
