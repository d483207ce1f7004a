package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
)

func (p *program) auditCommand() *cobra.Command {
	limit := 50
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who changed what, newest first",
		Long: `The audit log has a line for every change by a command, the API or a page: who made
it, when by the database's clock, from where, and how it ended. A line is written
before the change; "begun" means that it runs, or that its process has died.`,
		Example: `  baler audit
  baler audit --limit 1000 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return usagef("--limit %d: give a number from 1", limit)
			}
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				return p.listAudit(ctx, b, limit)
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "list at most `N` lines")
	return cmd
}

// auditObject is a line of the audit log in JSON.
type auditObject struct {
	Type   string            `json:"type"` // always "audit"
	Line   int64             `json:"line"`
	At     time.Time         `json:"at"`
	Who    string            `json:"who"`
	From   string            `json:"from"`
	Action string            `json:"action"`
	Target string            `json:"target"`
	Result baler.AuditResult `json:"result"`
	Detail string            `json:"detail,omitempty"`
}

const auditPage = 500

// newAuditTable never cuts who it was, which matters most.
func newAuditTable() *table {
	return newTable(words("WHEN"), words("WHO"), column{title: "FROM", shrink: spare}, words("RESULT"),
		words("WHAT"), column{title: "OF", shrink: wrap})
}

func (p *program) listAudit(ctx context.Context, b *baler.Baler, limit int) error {
	list := newAuditTable()
	for before := int64(0); limit > 0; {
		lines, err := b.AuditLog(ctx, before, min(limit, auditPage))
		if err != nil {
			return err
		}
		if len(lines) == 0 {
			break
		}
		for _, e := range lines {
			if p.json {
				if err := p.object(auditObject{"audit", e.ID, e.At.UTC(), e.Who, e.From, e.Action, e.Target, e.Result, e.Detail}); err != nil {
					return err
				}
				continue
			}
			of := e.Target
			if e.Detail != "" {
				of += " (" + e.Detail + ")"
			}
			list.row(local(e.At), e.Who, e.From, string(e.Result), e.Action, of)
		}
		limit -= len(lines)
		before = lines[len(lines)-1].ID
	}
	switch {
	case p.json:
	case len(list.rows) == 0:
		p.printf("Nobody has changed anything yet.")
	default:
		width, _ := terminal(fileOf(p.stdout)) // in a file nothing is cut
		list.within(width).write(p.stdout)
	}
	return nil
}
