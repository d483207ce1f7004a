package baler

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/audit"
)

// User is a person who may log in to a server. PasswordHash is empty where it is listed.
type User = accounts.User

// Token is what a program presents to a server. Its secret is not kept.
type Token = accounts.Token

// Role says what a user or a token may do.
type Role = accounts.Role

// The roles, from the least rights to the most.
const (
	RoleViewer    = accounts.Viewer    // reads
	RoleSubmitter = accounts.Submitter // also submits transfers, and retries files
	RoleOperator  = accounts.Operator  // also steers everything, and reads the audit log
)

// Errors of accounts.
var (
	ErrNameTaken = accounts.ErrTaken
	ErrNoUser    = accounts.ErrNoUser
	ErrNoToken   = accounts.ErrNoToken
)

// ParseRole reads the name of a role.
func ParseRole(s string) (Role, error) { return accounts.ParseRole(s) }

// CheckAccountName reports why a user or a token cannot have a name.
func CheckAccountName(name string) error { return accounts.CheckName(name) }

// AddUser adds a user with a password.
func (b *Baler) AddUser(ctx context.Context, name, password string, role Role) error {
	if err := accounts.CheckName(name); err != nil {
		return err
	}
	hash, err := accounts.NewHasher().Hash(ctx, password)
	if err != nil {
		return err
	}
	return b.store.AddUser(ctx, accounts.User{Name: name, Role: role, PasswordHash: hash})
}

// Users lists the users by name.
func (b *Baler) Users(ctx context.Context) ([]User, error) {
	users, err := b.store.Users(ctx)
	for i := range users {
		users[i].PasswordHash = ""
	}
	return users, err
}

// SetUserPassword changes a user's password, and ends their logins.
func (b *Baler) SetUserPassword(ctx context.Context, name, password string) error {
	hash, err := accounts.NewHasher().Hash(ctx, password)
	if err != nil {
		return err
	}
	return b.store.SetPassword(ctx, name, hash)
}

// SetUserRole changes what a user may do, from their next request on.
func (b *Baler) SetUserRole(ctx context.Context, name string, role Role) error {
	return b.store.SetRole(ctx, name, role)
}

// RemoveUser removes a user, and ends their logins.
func (b *Baler) RemoveUser(ctx context.Context, name string) error {
	return b.store.RemoveUser(ctx, name)
}

// CreateToken makes an API token, which is valid for so long; 0: until it is revoked. The
// secret cannot be read again.
func (b *Baler) CreateToken(ctx context.Context, name string, role Role, life time.Duration) (secret string, t Token, err error) {
	if err := accounts.CheckName(name); err != nil {
		return "", t, err
	}
	t = Token{Name: name, Role: role}
	if life > 0 {
		t.ExpiresAt = b.now().Add(life)
	}
	secret, t.Hash = accounts.NewToken()
	if err := b.store.AddToken(ctx, t); err != nil {
		return "", t, err
	}
	return secret, t, nil
}

// Tokens lists the API tokens by name.
func (b *Baler) Tokens(ctx context.Context) ([]Token, error) { return b.store.Tokens(ctx) }

// RevokeToken deletes an API token: no later request with it is answered.
func (b *Baler) RevokeToken(ctx context.Context, name string) error {
	return b.store.RevokeToken(ctx, name)
}

// AuditEntry is one line of the audit log.
type AuditEntry = audit.Entry

// AuditResult is how a change ended.
type AuditResult = audit.Status

// The results in the audit log.
const (
	AuditBegun   = audit.Begun
	AuditDone    = audit.Done
	AuditRefused = audit.Refused
	AuditFailed  = audit.Failed
)

// AuditLog lists up to limit lines of the audit log numbered below before, newest first;
// before 0 starts at the newest.
func (b *Baler) AuditLog(ctx context.Context, before int64, limit int) ([]AuditEntry, error) {
	return b.store.AuditLog(ctx, before, limit)
}

// BeginChange writes a line of the audit log for a change that a program is about to make.
// FinishChange with its number writes how the change ended.
func (b *Baler) BeginChange(ctx context.Context, who, action, target string) (line int64, err error) {
	return b.store.AddAudit(ctx, audit.Entry{Who: who, From: audit.CommandLine, Action: action, Target: target, Result: audit.Begun})
}

// FinishChange writes how a change ended; detail says why it did not go well. target "" keeps
// what the line has; the id of a transfer in it lets the page of that name the change.
func (b *Baler) FinishChange(ctx context.Context, line int64, result AuditResult, target, detail string) error {
	return b.store.FinishAudit(ctx, line, result, target, detail)
}
