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

func (p *program) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Create, list and revoke the API tokens of baler serve",
		Long: `Programs show a token to "baler serve" instead of a password, as
"Authorization: Bearer TOKEN". It is printed once, when it is created; the database
has only its hash. A token has a role, like a user, and may expire.`,
		Example: `  baler token create nightly --role submitter --expires 365d
  baler token list
  baler token revoke nightly`,
		Args: unknownCommand,
		RunE: p.listTokens,
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the API tokens",
			Long: `List shows each token with its role, when it expires and when it was last used. It does
not show the token itself.`,
			Example: "  baler token list --json", Args: cobra.NoArgs, RunE: p.listTokens,
		},
		p.createTokenCommand(), p.revokeTokenCommand(),
	)
	return cmd
}

// tokenObject is an API token in JSON.
type tokenObject struct {
	Type      string     `json:"type"` // always "token"
	Name      string     `json:"name"`
	Role      baler.Role `json:"role,omitempty"`
	CreatedAt *time.Time `json:"created_at,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	UsedAt    *time.Time `json:"used_at,omitempty"`
	Secret    string     `json:"secret,omitempty"` // only of create
}

func (p *program) listTokens(cmd *cobra.Command, _ []string) error {
	return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
		tokens, err := b.Tokens(ctx)
		if err != nil {
			return err
		}
		list := newTable(words("NAME"), words("ROLE"), words("CREATED"), words("EXPIRES"), words("LAST USED"))
		for i := range tokens {
			t := &tokens[i]
			if p.json {
				o := tokenObject{"token", t.Name, t.Role, unlessZero(t.CreatedAt), unlessZero(t.ExpiresAt), unlessZero(t.UsedAt), ""}
				if err := p.object(o); err != nil {
					return err
				}
				continue
			}
			list.row(t.Name, string(t.Role), local(t.CreatedAt), orNever(t.ExpiresAt), orNever(t.UsedAt))
		}
		switch {
		case p.json:
		case len(tokens) == 0:
			p.printf("There are no tokens. 'baler token create NAME' makes one.")
		default:
			list.write(p.stdout)
		}
		return nil
	})
}

func (p *program) createTokenCommand() *cobra.Command {
	role := baler.RoleViewer
	var life time.Duration
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create an API token",
		Long: `Create makes a token and prints it. It is not shown again: only its hash is kept. Give
programs the smallest role that they need.`,
		Example: "  baler token create nightly --role submitter --expires 365d",
		Args:    accountName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				secret, t, err := b.CreateToken(ctx, args[0], role, life)
				if err != nil {
					return err
				}
				if p.json {
					return p.object(tokenObject{Type: "token", Name: t.Name, Role: t.Role, ExpiresAt: unlessZero(t.ExpiresAt), Secret: secret})
				}
				p.notef("Keep the token: it cannot be shown again.")
				p.printf("%s", secret)
				return nil
			})
		},
	}
	roleFlag(cmd, &role)
	cmd.Flags().Var(lifeValue{&life}, "expires", "`AGE` at which it expires, such as 90d (default: never)")
	return cmd
}

// lifeValue is a flag whose value is a time that may be in days, above 0.
type lifeValue struct{ life *time.Duration }

func (v lifeValue) Set(s string) error {
	d, err := tasks.ParseDuration(s)
	if err == nil && d <= 0 {
		err = fmt.Errorf("%s is not above 0", s)
	}
	*v.life = d
	return err
}

func (v lifeValue) String() string {
	if v.life == nil || *v.life == 0 {
		return ""
	}
	return v.life.String()
}

// Type names the kind of value to cobra.
func (lifeValue) Type() string { return "age" }

func (p *program) revokeTokenCommand() *cobra.Command {
	return &cobra.Command{
		Use: "revoke NAME", Short: "Revoke an API token",
		Long:    "Revoke deletes a token. Requests with it are refused from then on.",
		Example: "  baler token revoke nightly",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				if err := b.RevokeToken(ctx, args[0]); err != nil {
					return err
				}
				if p.json {
					return p.object(tokenObject{Type: "token", Name: args[0]})
				}
				p.printf("Token %s is revoked.", printable(args[0]))
				return nil
			})
		},
	}
}
