package accounts

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// User is a person with a password.
type User struct {
	Name      string
	Role      Role
	CreatedAt time.Time
	LoginAt   time.Time // the last login; zero: never

	PasswordHash string // as Hasher.Hash returned it
}

// Token is what a program presents instead of a password.
type Token struct {
	Name      string
	Role      Role
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	UsedAt    time.Time // to about a minute; zero: never

	Hash []byte // of the secret
}

// Expired reports whether the token may no longer be used.
func (t *Token) Expired(now time.Time) bool { return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) }

// Session is a login in a browser.
type Session struct {
	Hash      []byte // of the secret
	User      string
	External  bool // the user has logged in at an OpenID provider; Role is what that said
	Role      Role // of the user now, unless External
	CreatedAt time.Time
	SeenAt    time.Time // to about a minute
	ExpiresAt time.Time
}

// Identity is who has sent a request.
type Identity struct {
	Name string // for the audit log: "ada", "token nightly"
	Role Role

	Session []byte // the hash of the session; nil: the request has a token, or needs none
	CSRF    string // what forms of the session must carry
}

const longestName = 64

// CheckName reports why a user or a token cannot have a name. Names are compared byte by
// byte, so no two of them may look the same.
func CheckName(name string) error {
	if name == "" || len(name) > longestName {
		return fmt.Errorf("a name has 1 to %d characters", longestName)
	}
	for _, c := range name {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789._@-", c) {
			return errors.New("a name has only small letters a to z, digits and the characters . _ @ -")
		}
	}
	return nil
}

// Errors of accounts.
var (
	ErrTaken     = errors.New("the name is taken")
	ErrNoUser    = errors.New("no such user")
	ErrNoToken   = errors.New("no such token")
	ErrNoSession = errors.New("no such session")

	// ErrDenied says that a name and a password do not belong together.
	ErrDenied = errors.New("the name or the password is wrong")

	// ErrUnknown is ErrDenied for a name that no user has. Only the audit log may tell them
	// apart, which does not repeat the name: people type their password there.
	ErrUnknown = fmt.Errorf("%w", ErrDenied)

	// ErrBusy says that too many logins are being checked.
	ErrBusy = errors.New("too many people log in at the moment; try again in a few seconds")
)
