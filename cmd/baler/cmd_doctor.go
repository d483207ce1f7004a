package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/internal/doctor"
)

// finding is the JSON object that doctor reports for each check.
type finding struct {
	Type   string        `json:"type"` // always "check"
	Check  string        `json:"check"`
	Health doctor.Status `json:"health"`
	Detail string        `json:"detail"`
	Advice string        `json:"advice"`
}

func (p *program) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Look at settings, database and queue, and say what to do",
		Long: `Doctor looks at everything that Baler needs on this host and behind it. It changes
nothing, and exits with 1 when something keeps Baler from working.`,
		Example: `  baler doctor
  baler doctor --json --database mysql://db/baler`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.settings(cmd)
			if err != nil {
				return fmt.Errorf("%w\nno check was made: correct the settings first", err)
			}
			return p.diagnosed(doctor.Diagnose(cmd.Context(), cfg, doctor.Options{Log: p.options(cfg).Log, Registry: p.options(cfg).Registry}))
		},
	}
}

func (p *program) diagnosed(checks []doctor.Check) error {
	sick := false
	list := newTable(words("CHECK"), words("HEALTH"), words("WHAT WAS FOUND, AND WHAT TO DO"))
	for _, c := range checks {
		sick = sick || c.Status == doctor.StatusError
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
		list.write(p.stdout)
	}
	if sick {
		return codeError(exitError)
	}
	return nil
}
