package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/internal/doctor"
)

// finding is the JSON object that doctor reports for each check.
type finding struct {
	Type   string        `json:"type"` // always "check"
	Check  string        `json:"check"`
	Status doctor.Status `json:"status"`
	Detail string        `json:"detail"`
	Hint   string        `json:"hint"`
}

func (p *program) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check settings, database and queue",
		Long: `Doctor checks everything that Baler needs, on this host and on its servers, and
suggests what to do. It tries to write to the database and the queue, and takes that
back. It exits with 1 if a check fails.`,
		Example: `  baler doctor
  baler doctor --json --database mysql://db/baler`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.ownSettings(cmd)
			if err != nil {
				return fmt.Errorf("%w\ndoctor made no checks: correct the settings first", err)
			}
			return p.diagnosed(doctor.Diagnose(cmd.Context(), cfg, doctor.Options{Log: p.options(cfg).Log, Registry: p.options(cfg).Registry}))
		},
	}
}

func (p *program) diagnosed(checks []doctor.Check) error {
	failed := false
	list := newTable(words("CHECK"), words("STATUS"), column{title: "DETAIL AND HINT", shrink: wrap})
	for _, c := range checks {
		failed = failed || c.Status == doctor.StatusError
		if p.json {
			if err := p.object(finding{"check", c.Name, c.Status, c.Detail, c.Hint}); err != nil {
				return err
			}
			continue
		}
		list.row(c.Name, string(c.Status), printable(c.Detail))
		if c.Hint != "" {
			list.row("", "", "→ "+printable(c.Hint))
		}
	}
	if !p.json {
		list.within(tableWidth(p.stdout)).write(p.stdout)
	}
	if failed {
		return codeError(exitError)
	}
	return nil
}
