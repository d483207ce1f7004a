package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
)

func (p *program) deadLettersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deadletters",
		Short: "List, show, requeue and discard messages that could not be read",
		Long: `Dead letters are messages that a worker found in the queue and could not use: those
of another program, of a newer version, or of a transfer that does not exist. They
are kept until somebody requeues or discards them.`,
		Example: `  baler deadletters
  baler deadletters show 7
  baler deadletters requeue 7 8
  baler deadletters discard --all`,
		Args: unknownCommand,
		RunE: p.listDeadLetters,
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the dead letters, newest first", Example: "  baler deadletters list --json",
			Long: "List prints the dead letters with their numbers, times, kinds and reasons, the newest\n" +
				"first. It is what deadletters does without a command.",
			Args: cobra.NoArgs, RunE: p.listDeadLetters,
		},
		p.showDeadLetterCommand(), p.requeueDeadLettersCommand(), p.discardDeadLettersCommand(),
	)
	return cmd
}

// deadLetterObject is a dead letter in JSON.
type deadLetterObject struct {
	Type        string    `json:"type"` // always "dead_letter"
	ID          int64     `json:"id"`
	ReceivedAt  time.Time `json:"received_at"`
	MessageType string    `json:"message_type"`
	Bytes       int       `json:"bytes"`
	Reason      string    `json:"reason"`
	Payload     []byte    `json:"payload,omitempty"` // base64; only of show
}

func describeDeadLetter(d *baler.DeadLetter) deadLetterObject {
	return deadLetterObject{
		Type: "dead_letter", ID: d.ID, ReceivedAt: d.ReceivedAt.UTC(), MessageType: d.Type, Bytes: len(d.Payload), Reason: d.Reason,
	}
}

// deadLetterPage is how many dead letters are read at a time.
const deadLetterPage = 100

// eachDeadLetter calls do for every dead letter, newest first.
func eachDeadLetter(ctx context.Context, b *baler.Baler, do func(*baler.DeadLetter) error) error {
	var before int64
	for {
		page, err := b.DeadLetters(ctx, before, deadLetterPage)
		if err != nil {
			return err
		}
		for i := range page {
			if err := do(&page[i]); err != nil {
				return err
			}
		}
		if len(page) < deadLetterPage {
			return nil
		}
		before = page[len(page)-1].ID
	}
}

func (p *program) listDeadLetters(cmd *cobra.Command, _ []string) error {
	return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
		list := newTable(numbers("ID"), words("RECEIVED"), words("TYPE"), numbers("BYTES"), words("REASON"))
		n := 0
		err := eachDeadLetter(ctx, b, func(d *baler.DeadLetter) error {
			if n++; p.json {
				return p.object(describeDeadLetter(d))
			}
			list.row(strconv.FormatInt(d.ID, 10), local(d.ReceivedAt), printable(d.Type), count(int64(len(d.Payload))),
				printable(firstLine(d.Reason)))
			return nil
		})
		switch {
		case err != nil || p.json:
			return err
		case n == 0:
			p.printf("There are no dead letters.")
		default:
			list.write(p.stdout)
		}
		return nil
	})
}

func (p *program) showDeadLetterCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a dead letter with its content", Example: "  baler deadletters show 7",
		Long: "Show prints one dead letter with the bytes that the worker found, as far as they were\nkept, and why it could not use them.",
		Args: cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := deadLetterIDs(args)
			if err != nil {
				return err
			}
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				d, err := b.DeadLetter(ctx, ids[0])
				if err != nil {
					return err
				}
				return p.showDeadLetter(&d)
			})
		},
	}
}

func (p *program) showDeadLetter(d *baler.DeadLetter) error {
	if p.json {
		o := describeDeadLetter(d)
		o.Payload = d.Payload
		return p.object(o)
	}
	p.printf("Dead letter %d, received %s", d.ID, local(d.ReceivedAt))
	p.printf("Type:    %s", printable(d.Type))
	p.printf("Reason:  %s", printable(d.Reason))
	content := strconv.QuoteToASCII(string(d.Payload))
	if utf8.Valid(d.Payload) {
		content = printable(string(d.Payload))
	}
	p.printf("Content: %s", content)
	return nil
}

func (p *program) requeueDeadLettersCommand() *cobra.Command {
	var queue string
	cmd := &cobra.Command{
		Use: "requeue ID...", Short: "Put dead letters back into a queue",
		Long: `Requeue sends the messages to the queue once more, such as after an update of the
workers, and removes the dead letters. A message that still cannot be read becomes a
dead letter again.`,
		Example: "  baler deadletters requeue 7 8\n  baler deadletters requeue 7 --queue urgent",
		Args:    cobra.MinimumNArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := deadLetterIDs(args)
			if err != nil {
				return err
			}
			return p.withQueue(cmd, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				return p.eachDone(ids, "requeued", func(id int64) error { return b.RequeueDeadLetter(ctx, id, queue) })
			})
		},
	}
	cmd.Flags().StringVar(&queue, "queue", baler.DefaultQueue, "`NAME` of the queue")
	return cmd
}

func (p *program) discardDeadLettersCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "discard ID...", Short: "Delete dead letters",
		Long:    "Discard deletes dead letters for good. Give their numbers, or --all.",
		Example: "  baler deadletters discard 7 8\n  baler deadletters discard --all",
		Args:    cobra.ArbitraryArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := deadLetterIDs(args)
			if err != nil {
				return err
			}
			if all == (len(ids) > 0) {
				return usagef("name dead letters, or use --all")
			}
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				if all {
					err := eachDeadLetter(ctx, b, func(d *baler.DeadLetter) error {
						ids = append(ids, d.ID)
						return nil
					})
					if err != nil {
						return err
					}
				}
				return p.eachDone(ids, "discarded", func(id int64) error { return b.DiscardDeadLetter(ctx, id) })
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "discard all dead letters")
	return cmd
}

// deadLetterDone is the outcome of a dead letter in JSON.
type deadLetterDone struct {
	Type string `json:"type"` // "requeued" or "discarded"
	ID   int64  `json:"id"`
}

// eachDone does something with each dead letter, and reports it.
func (p *program) eachDone(ids []int64, done string, do func(id int64) error) error {
	for _, id := range ids {
		if err := do(id); err != nil {
			return err
		}
		if p.json {
			if err := p.object(deadLetterDone{done, id}); err != nil {
				return err
			}
			continue
		}
		p.printf("Dead letter %d is %s.", id, done)
	}
	if len(ids) == 0 && !p.json {
		p.printf("There are no dead letters.")
	}
	return nil
}

func deadLetterIDs(args []string) ([]int64, error) {
	ids := make([]int64, len(args))
	for i, arg := range args {
		id, err := strconv.ParseInt(arg, 10, 64)
		if err != nil || id < 1 {
			return nil, usageError{fmt.Errorf("%q is not the number of a dead letter; 'baler deadletters' lists them", arg)}
		}
		ids[i] = id
	}
	return ids, nil
}
