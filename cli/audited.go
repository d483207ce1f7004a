package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/balerhq/baler"
)

// changing lists the commands that change something, with what the audit log says of
// them. A test compares it with all commands.
func changing() map[string]string {
	return map[string]string{
		"run": "run", "submit": "submit a transfer", "load": "load files", "retry": "retry files of a transfer",
		"pause": "pause a transfer", "resume": "resume a transfer", "cancel": "cancel a transfer", "delete": "delete transfers",
		"queue pause": "set the state of a queue", "queue resume": "set the state of a queue",
		"queue weight":  "set the weight of a queue",
		"workers pause": "set the state of a worker", "workers resume": "set the state of a worker",
		"workers drain": "set the state of a worker", "workers log": "set the log level of a worker",
		"limit": "set a limit", "deadletters requeue": "requeue dead letters", "deadletters discard": "discard dead letters",
		"prune": "delete old transfers", "reconcile": "reconcile the queue with the database",
		"user add": "add a user", "user remove": "remove a user", "user passwd": "set the password of a user",
		"user role":    "set the role of a user",
		"schedule add": "add a schedule", "schedule run": "run a schedule", "schedule pause": "pause a schedule",
		"schedule resume": "resume a schedule", "schedule remove": "remove a schedule",
		"import": "import transfers",
		"update": "change a transfer", "approve": "approve a step", "reject": "reject a step",
		"reuse forget": "forget results that may be reused",
		"token create": "create a token", "token revoke": "revoke a token",
	}
}

// toldFlags lists the flags that the audit log repeats. Others may hold secrets.
func toldFlags() []string {
	return []string{
		"role", "expires", "in-flight", "files-per-second", "per-host", "queue", "transfer", "handler", "name", "recipe",
		"step", "outcome", "all", "finalizers", "older-than",
		"keep-last", "failed-too", "resume", "weight", "stop-after", "deadline", "cron", "zone", "overlap", "group", "comment",
	}
}

// actionOf is what the audit log says of a command line; empty when it changes nothing.
func actionOf(cmd *cobra.Command) string {
	_, name, _ := strings.Cut(cmd.CommandPath(), " ")
	flags := cmd.Flags()
	if dry := flags.Lookup("dry-run"); dry != nil && dry.Value.String() == "true" {
		return ""
	}
	if name == "limit" && !flags.Changed("in-flight") && !flags.Changed("files-per-second") && !flags.Changed("per-host") {
		return ""
	}
	return changing()[name]
}

// audited writes what a command changes to the audit log: before it does, so that nothing is
// changed without a line, and how it ended afterwards.
func (p *program) audited(cmd *cobra.Command, b *baler.Baler, do func() error) error {
	action := actionOf(cmd)
	if action == "" {
		return do()
	}
	target := targetOf(cmd)
	line, err := b.BeginChange(cmd.Context(), person(), action, target)
	if err != nil {
		return err
	}
	err = do()
	result, detail := baler.AuditDone, ""
	code, coded := errors.AsType[codeError](err)
	switch {
	case err == nil:
	case coded && code == exitFailures:
		detail = "some files failed"
	case cmd.Context().Err() != nil:
		result, detail = baler.AuditFailed, "interrupted"
	case coded:
		result, detail = baler.AuditFailed, code.Error()
	default:
		result, detail = baler.AuditFailed, firstLine(err.Error())
	}
	if p.changed == "" || strings.Contains(target, p.changed) {
		target = "" // it says so already
	} else {
		target += " (" + p.changed + ")"
	}
	p.finishAudit(cmd.Context(), b, line, result, target, detail)
	return err
}

// auditTimeout is how long the end of a command may take to be written.
const auditTimeout = 5 * time.Second

func (p *program) finishAudit(ctx context.Context, b *baler.Baler, line int64, result baler.AuditResult, target, detail string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	if err := b.FinishChange(ctx, line, result, target, detail); err != nil {
		p.notef("Line %d of the audit log lacks its result (%s): %v", line, result, err)
	}
}

// targetOf shows what a command was asked to change: its arguments, and some flags.
func targetOf(cmd *cobra.Command) string {
	parts := make([]string, 0, cmd.Flags().NArg())
	for _, arg := range cmd.Flags().Args() {
		parts = append(parts, printable(arg))
	}
	told := toldFlags()
	cmd.Flags().Visit(func(f *pflag.Flag) {
		for _, name := range told {
			if f.Name == name {
				parts = append(parts, "--"+name, printable(f.Value.String()))
			}
		}
	})
	return strings.Join(parts, " ")
}

// person is who runs this program, and where.
func person() string {
	name := "uid " + strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return fmt.Sprintf("%s@%s", name, host)
}
