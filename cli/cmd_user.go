package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
)

func (p *program) userCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "Add, list, change and remove the users of baler serve",
		Long: `Users log in to "baler serve" with a name and a password. A viewer reads; a
submitter also submits transfers and retries files; an operator may do everything.

A password is read from the terminal, or as one line from standard input.`,
		Example: `  baler user add ada --role operator
  baler user role ada viewer
  baler user passwd ada < password.txt
  baler user remove ada`,
		Args: unknownCommand,
		RunE: p.listUsers,
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the users", Long: "List shows each user with the role and the last login.",
			Example: "  baler user list --json", Args: cobra.NoArgs, RunE: p.listUsers,
		},
		p.addUserCommand(), p.userPasswordCommand(), p.userRoleCommand(), p.removeUserCommand(),
	)
	return cmd
}

// userObject is a user in JSON.
type userObject struct {
	Type      string     `json:"type"` // always "user"
	Name      string     `json:"name"`
	Role      baler.Role `json:"role"`
	CreatedAt time.Time  `json:"created_at"`
	LoginAt   *time.Time `json:"login_at,omitempty"`
}

func (p *program) listUsers(cmd *cobra.Command, _ []string) error {
	return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
		users, err := b.Users(ctx)
		if err != nil {
			return err
		}
		list := newTable(words("NAME"), words("ROLE"), words("CREATED"), words("LAST LOGIN"))
		for i := range users {
			u := &users[i]
			if p.json {
				if err := p.object(userObject{"user", u.Name, u.Role, u.CreatedAt.UTC(), unlessZero(u.LoginAt)}); err != nil {
					return err
				}
				continue
			}
			list.row(u.Name, string(u.Role), local(u.CreatedAt), orNever(u.LoginAt))
		}
		switch {
		case p.json:
		case len(users) == 0:
			p.printf("There are no users. 'baler user add NAME --role operator' adds one.")
		default:
			list.write(p.stdout)
		}
		return nil
	})
}

func unlessZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func orNever(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return local(t)
}

func (p *program) addUserCommand() *cobra.Command {
	role := baler.RoleViewer
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Add a user",
		Long: `Add makes a user and asks for a password of 10 characters or more. On a loopback address
"baler serve" asks nobody for a login, unless http.ask_login is set.`,
		Example: "  baler user add ada --role operator",
		Args:    accountName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withPassword(cmd, func(ctx context.Context, b *baler.Baler, password string) error {
				if err := b.AddUser(ctx, args[0], password, role); err != nil {
					return err
				}
				return p.changedUser(args[0], "User %s can log in as %s.", role)
			})
		},
	}
	roleFlag(cmd, &role)
	return cmd
}

func (p *program) userPasswordCommand() *cobra.Command {
	return &cobra.Command{
		Use: "passwd NAME", Short: "Set the password of a user",
		Long:    "Passwd sets a new password of 10 characters or more, and ends all logins of the user.",
		Example: "  baler user passwd ada < password.txt",
		Args:    accountName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withPassword(cmd, func(ctx context.Context, b *baler.Baler, password string) error {
				if err := b.SetUserPassword(ctx, args[0], password); err != nil {
					return err
				}
				return p.changedUser(args[0], "User %s has a new password, and must log in again.")
			})
		},
	}
}

func (p *program) userRoleCommand() *cobra.Command {
	return &cobra.Command{
		Use: "role NAME ROLE", Short: "Set the role of a user",
		Long:    "Role makes a user a viewer, a submitter or an operator, from the next request on.",
		Example: "  baler user role ada submitter",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.ExactArgs(2)(cmd, args); err != nil {
				return err
			}
			_, err := baler.ParseRole(args[1])
			return err
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				role, err := baler.ParseRole(args[1])
				if err != nil {
					return err
				}
				if err := b.SetUserRole(ctx, args[0], role); err != nil {
					return err
				}
				return p.changedUser(args[0], "User %s is %s now.", role)
			})
		},
	}
}

func (p *program) removeUserCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Remove a user",
		Long:    "Remove deletes a user and ends all logins. The lines of the audit log stay.",
		Example: "  baler user remove ada",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				if err := b.RemoveUser(ctx, args[0]); err != nil {
					return err
				}
				return p.changedUser(args[0], "User %s is removed.")
			})
		},
	}
}

// changedUser says what was done with a user.
func (p *program) changedUser(name, format string, more ...any) error {
	if !p.json {
		p.printf(format, append([]any{printable(name)}, more...)...)
		return nil
	}
	o := struct {
		Type string `json:"type"` // always "user"
		Name string `json:"name"`
		Role any    `json:"role,omitempty"`
	}{Type: "user", Name: name}
	if len(more) > 0 {
		o.Role = more[0]
	}
	return p.object(o)
}

// accountName takes one argument that can be a name.
func accountName(cmd *cobra.Command, args []string) error {
	if err := cobra.ExactArgs(1)(cmd, args); err != nil {
		return err
	}
	return baler.CheckAccountName(args[0])
}

func roleFlag(cmd *cobra.Command, role *baler.Role) {
	cmd.Flags().Var(roleValue{role}, "role", "`ROLE`: viewer, submitter or operator")
}

// roleValue is a flag whose value is a role.
type roleValue struct{ role *baler.Role }

func (v roleValue) Set(s string) (err error) {
	*v.role, err = baler.ParseRole(s)
	return err
}

func (v roleValue) String() string {
	if v.role == nil {
		return ""
	}
	return string(*v.role)
}

// Type names the kind of value to cobra.
func (roleValue) Type() string { return "role" }

// withPassword reads a password before it opens the database.
func (p *program) withPassword(cmd *cobra.Command, do func(context.Context, *baler.Baler, string) error) error {
	password, err := p.readPassword()
	if err != nil {
		return err
	}
	return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
		return do(ctx, b, password)
	})
}

var errPasswordsDiffer = errors.New("the two passwords are not the same")

// readPassword reads a password without showing it: twice from a terminal, or else one line.
func (p *program) readPassword() (string, error) {
	if f, ok := p.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		var read [2]string
		for i, prompt := range []string{"Password: ", "Again: "} {
			fmt.Fprint(p.stderr, prompt)
			b, err := term.ReadPassword(int(f.Fd()))
			fmt.Fprintln(p.stderr)
			if err != nil {
				return "", fmt.Errorf("read password: %w", err)
			}
			read[i] = string(b)
		}
		if read[0] != read[1] {
			return "", errPasswordsDiffer
		}
		return read[0], nil
	}
	const most = 4096
	line, err := bufio.NewReader(io.LimitReader(p.stdin, most)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}
